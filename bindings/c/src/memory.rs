//! What C lends: checked pointers, and handles in the caller's memory.
//!
//! One place for what every function asks of its pointers. The safety contract is the same everywhere: **a pointer
//! that is neither null nor misaligned points to as many elements as the length beside it says (one, if there is no
//! length), that are the caller's to lend until the call returns, or, where the header says so, as long as the
//! handle is used.**

#![expect(unsafe_code, reason = "C's pointers")]

use crate::status::Status;
use core::ffi::{c_char, c_void};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{slice_from_raw_parts, slice_from_raw_parts_mut};

/// What the address of a model file's bytes, and of memory for handles and scratch, must be a multiple of: memory from
/// malloc is, and so are a mapped file and an asset that is stored aligned.
pub const ALIGNMENT: usize = 8;

/// Text inside the model file, UTF-8, **not** ended by a zero byte; lives as long as the file's bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Text {
    /// The first byte; never null after TBX_STATUS_OK.
    pub data: *const c_char,
    /// Bytes.
    pub len: usize,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), len: text.len() }
    }
}

/// Runs what a function does, and says how it went.
pub(crate) fn run(call: impl FnOnce() -> Result<(), Status>) -> Status {
    call().err().unwrap_or(Status::Ok)
}

/// Whether `len` elements from `pointer` can be elements in memory at all.
fn check<T>(pointer: *const T, len: usize) -> Result<(), Status> {
    if pointer.is_null() {
        return Err(Status::NullPointer);
    }
    if !pointer.is_aligned() {
        return Err(Status::MisalignedPointer);
    }
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if pointer.addr().checked_add(bytes).is_some() && bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Status::Length),
    }
}

/// `len` elements to read; null will do where there are none.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, len: usize) -> Result<&'a [T], Status> {
    if len == 0 && pointer.is_null() {
        return Ok(&[]);
    }
    check(pointer, len)?;
    // SAFETY: neither null nor misaligned nor longer than the address space: the contract holds.
    Ok(unsafe { &*slice_from_raw_parts(pointer, len) })
}

/// `len` elements to write; null will do where there are none.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn slice_mut<'a, T>(pointer: *mut T, len: usize) -> Result<&'a mut [T], Status> {
    if len == 0 && pointer.is_null() {
        return Ok(&mut []);
    }
    check(pointer, len)?;
    // SAFETY: as in `slice`.
    Ok(unsafe { &mut *slice_from_raw_parts_mut(pointer, len) })
}

/// One element to read.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn one<'a, T>(pointer: *const T) -> Result<&'a T, Status> {
    check(pointer, 1)?;
    // SAFETY: neither null nor misaligned: the contract holds.
    Ok(unsafe { &*pointer })
}

/// Where a function puts its result: checked before anything is done.
pub(crate) struct Out<'a, T> {
    place: *mut T,
    lent: PhantomData<&'a mut T>,
}

impl<T> Out<'_, T> {
    /// # Safety
    /// The contract of this module.
    pub(crate) unsafe fn at(place: *mut T) -> Result<Self, Status> {
        check(place, 1)?;
        Ok(Self { place, lent: PhantomData })
    }

    pub(crate) fn put(self, value: T) {
        // SAFETY: checked by `at`, whose caller promised that it may be written.
        unsafe { self.place.write(value) }
    }
}

/// Text from C, UTF-8.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<&'a str, Status> {
    // SAFETY: the contract of this module; every char is a byte.
    let bytes = unsafe { slice(data.cast::<u8>(), len) }?;
    core::str::from_utf8(bytes).map_err(|_| Status::NotUtf8)
}

/// Memory for handles and scratch, from which pieces are taken.
pub(crate) struct Memory<'a>(&'a mut [MaybeUninit<u64>]);

impl<'a> Memory<'a> {
    /// # Safety
    /// The contract of this module, as long as what is put there is used.
    pub(crate) unsafe fn lent(memory: *mut c_void, size: usize) -> Result<Self, Status> {
        let words: *mut MaybeUninit<u64> = memory.cast();
        if !memory.addr().is_multiple_of(ALIGNMENT) {
            return Err(Status::MisalignedMemory);
        }
        // SAFETY: the contract of this module, and any bytes will do.
        Ok(Self(unsafe { slice_mut(words, size / size_of::<u64>()) }?))
    }

    /// Bytes that `len` of these take.
    pub(crate) fn size_of<T>(len: usize) -> usize {
        len.saturating_mul(size_of::<T>()).checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX)
    }

    /// Room for `len` of these.
    pub(crate) fn take<T>(&mut self, len: usize) -> Result<&'a mut [MaybeUninit<T>], Status> {
        const { assert!(align_of::<T>() <= ALIGNMENT && align_of::<u64>() >= align_of::<T>()) };
        let words = Self::size_of::<T>(len) / size_of::<u64>();
        let room = self.0.split_off_mut(..words).ok_or(Status::MemoryTooSmall)?;
        // SAFETY: as many bytes as `len` of these take, aligned for them, in which anything may be.
        Ok(unsafe { &mut *slice_from_raw_parts_mut(room.as_mut_ptr().cast(), len) })
    }

    /// All that is left, as floats.
    pub(crate) fn floats(self) -> &'a mut [f32] {
        let floats = slice_from_raw_parts_mut(self.0.as_mut_ptr().cast(), 2 * self.0.len());
        // SAFETY: two floats to a word; to the compiler, what C lends is not uninitialised, and every pattern is a float.
        unsafe { &mut *floats }
    }
}

/// What handles hold.
pub(crate) trait Kind {
    /// Tells handles of this kind from others, and from memory that never held one.
    const KIND: usize;
}

/// A value in the caller's memory, under a seal that tells whether it is what C says it is, where it was made.
#[repr(C)] // the seal comes first
pub(crate) struct Placed<T> {
    seal: usize,
    value: T,
}

impl<T: Kind> Placed<T> {
    /// Puts the value into room for one.
    pub(crate) fn put(room: &mut [MaybeUninit<Self>], value: T) -> Result<*mut Self, Status> {
        let [place] = room else { return Err(Status::MemoryTooSmall) };
        let seal = Self::seal(place.as_ptr());
        Ok(place.write(Self { seal, value }))
    }

    /// # Safety
    /// The contract of this module.
    pub(crate) unsafe fn get<'a>(handle: *const Self) -> Result<&'a T, Status> {
        Self::check(handle)?;
        // SAFETY: the seal says that `put` made it here.
        Ok(unsafe { &(*handle).value })
    }

    /// # Safety
    /// The contract of this module, and nobody else uses the handle meanwhile.
    pub(crate) unsafe fn get_mut<'a>(handle: *mut Self) -> Result<&'a mut T, Status> {
        Self::check(handle)?;
        // SAFETY: the seal says that `put` made it here.
        Ok(unsafe { &mut (*handle).value })
    }

    fn seal(handle: *const Self) -> usize {
        T::KIND ^ handle.addr()
    }

    fn check(handle: *const Self) -> Result<(), Status> {
        check(handle, 1)?;
        // SAFETY: the contract of this module says that it can be read; the seal comes first, and may be any number.
        let seal = unsafe { handle.cast::<usize>().read() };
        if seal == Self::seal(handle) { Ok(()) } else { Err(Status::NotAHandle) }
    }
}
