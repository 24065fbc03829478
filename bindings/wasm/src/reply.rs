//! What a call gives back beside its number: a text of the model file, or why it was refused.

#![expect(unsafe_code, reason = "exports have names of their own")]

use crate::refusal::Refusal;
use core::mem::MaybeUninit;

/// Returned by a call that was refused.
pub(crate) const REFUSED: i32 = -1;

/// Where the host finds a text of the model file, or the reason for a refusal, whichever the call's number says.
/// Any bytes are a valid reply.
#[repr(C)]
pub(crate) struct Reply {
    refusal: MaybeUninit<Refusal>,
    text: *const u8,
    len: usize,
}

// The host reads it.
#[cfg(target_arch = "wasm32")]
const _: () = assert!(core::mem::offset_of!(Reply, text) == 48);

/// Bytes of a [`Reply`].
#[unsafe(no_mangle)]
extern "C" fn reply_size() -> usize {
    size_of::<Reply>()
}

impl Reply {
    /// Answers with a text: 1, or 0 if there is none.
    pub(crate) fn text(&mut self, text: Option<&'static str>) -> i32 {
        let text = text.map(str::as_bytes);
        (self.text, self.len) = text.map_or((core::ptr::null(), 0), |text| (text.as_ptr(), text.len()));
        i32::from(text.is_some())
    }

    /// Answers with the number of a result, or refuses with the reason that its error gives.
    pub(crate) fn result<E: Into<Refusal>>(&mut self, result: Result<usize, E>) -> i32 {
        match result {
            Ok(number) => number as i32, // below 2^31, as the items of a model are
            Err(error) => {
                self.refusal.write(error.into());
                REFUSED
            }
        }
    }
}
