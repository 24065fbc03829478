//! Lists that the host laid into memory.

#![expect(unsafe_code, reason = "the host passes an address and a length")]

/// The list of `len` values at `start`. An empty one may be anywhere.
///
/// # Safety
/// As the crate says, for as long as `'a` lasts.
pub(crate) unsafe fn list<'a, T>(start: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise is that of `from_raw_parts`; the empty list at address 0 is dealt with above.
    unsafe { core::slice::from_raw_parts(start, len) }
}

/// The list of `len` values at `start`, to be written.
///
/// # Safety
/// As the crate says, for as long as `'a` lasts.
pub(crate) unsafe fn list_mut<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise is that of `from_raw_parts_mut`; the empty list at address 0 is dealt with above.
    unsafe { core::slice::from_raw_parts_mut(start, len) }
}

/// The text of `len` bytes at `start`, and nothing in place of what is not UTF-8: no id and no name is empty.
///
/// # Safety
/// As the crate says, for as long as `'a` lasts.
pub(crate) unsafe fn text<'a>(start: *const u8, len: usize) -> &'a str {
    // SAFETY: the caller's promise.
    let bytes = unsafe { list(start, len) };
    core::str::from_utf8(bytes).unwrap_or_default()
}
