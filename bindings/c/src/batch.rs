//! Many users in one pass over the catalogue.

#![expect(unsafe_code, reason = "C's pointers, functions exported by name")]

use crate::memory::{Memory, run, slice_mut};
use crate::rank::{Filter, Ranked, list};
use crate::session::SessionHandle;
use crate::status::Status;
use core::ffi::c_void;
use tinderbox::rank_batch;

/// One ranking of a batch: the arguments of tbx_rank, and its result.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Request {
    /// For whom; several requests may share a session.
    pub session: *const SessionHandle,
    /// Null for every item but those of the support.
    pub filter: *const Filter,
    /// Room for the list, this request's own.
    pub out: *mut Ranked,
    /// Elements of `out`.
    pub capacity: usize,
    /// Set to how many were written.
    pub len: usize,
}

/// Bytes for the memory of tbx_rank_batch.
#[unsafe(no_mangle)]
pub extern "C" fn tbx_rank_batch_size(requests: usize) -> usize {
    Memory::size_of::<tinderbox::Request<'_, '_>>(requests)
}

/// Does many rankings in one pass over the catalogue; each list is, to the bit, that of tbx_rank. Neighbours that rank
/// the same model share the pass. `memory`: tbx_rank_batch_size(len) bytes at a multiple of TBX_ALIGNMENT, for
/// the time of the call. If one request is refused, none is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_rank_batch(
    requests: *mut Request,
    len: usize,
    memory: *mut c_void,
    memory_size: usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let requests = unsafe { slice_mut(requests, len) }?;
        // SAFETY: the caller's contract.
        let mut memory = unsafe { Memory::lent(memory, memory_size) }?;
        let places = memory.take(len)?;
        for (place, request) in places.iter_mut().zip(&*requests) {
            // SAFETY: the caller's contract.
            place.write(unsafe { request.made() }?);
        }
        // SAFETY: the loop wrote all of them.
        let made = unsafe { places.assume_init_mut() };
        rank_batch(made);
        for (place, request) in places.iter_mut().zip(requests) {
            // SAFETY: written above and moved out once.
            let done = unsafe { place.assume_init_read() };
            request.len = done.ranked().len();
        }
        Ok(())
    })
}

impl Request {
    /// # Safety
    /// The contract of `memory`.
    unsafe fn made<'a>(&self) -> Result<tinderbox::Request<'a, 'a>, Status> {
        // SAFETY: the same contract.
        let session = unsafe { SessionHandle::get(self.session) }?;
        // SAFETY: the same contract.
        let filter = unsafe { Filter::get(self.filter) }?;
        // SAFETY: the same contract.
        let out = unsafe { list(self.out, self.capacity) }?;
        Ok(session.request(&filter, out)?)
    }
}
