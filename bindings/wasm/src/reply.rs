//! What a call gives back beside its number: a text of the model file, or why it was refused.

#![expect(unsafe_code, reason = "exports have names of their own")]

use core::fmt::{self, Display, Write};

/// Returned by a call that was refused.
pub(crate) const REFUSED: i32 = -1;

/// Room for the longest message of the engine, a section's and a feature's name included.
const MESSAGE: usize = 504;

/// Where the host finds a text: in the model file, or in `message`. Any bytes are a valid reply.
#[repr(C)]
pub(crate) struct Reply {
    text: *const u8,
    len: usize,
    message: [u8; MESSAGE],
}

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

    /// Answers with the number of a result, or refuses with the words of its error.
    pub(crate) fn result<E: Display>(&mut self, result: Result<usize, E>) -> i32 {
        match result {
            Ok(number) => number as i32, // below 2^31, as the items of a model are
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, error: &dyn Display) -> i32 {
        let mut message = Message { room: &mut self.message, len: 0 };
        // It only fails where the message is longer than the room: what fits is shown then.
        let _ = write!(message, "{error}");
        self.len = message.len;
        self.text = self.message.as_ptr();
        REFUSED
    }
}

struct Message<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl Write for Message<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.room.get_mut(self.len..).unwrap_or_default();
        let fits = text.len().min(room.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Reply {
        Reply { text: core::ptr::null(), len: 0, message: [0; MESSAGE] }
    }

    #[test]
    fn a_refusal_has_the_words_of_the_error() {
        let mut reply = empty();
        let error = tinderbox::RankError::UnknownItem { found: 12, items: 10 };
        assert_eq!(reply.result(Err(error)), REFUSED);
        assert_eq!(&reply.message[..reply.len], error.to_string().as_bytes());
        assert_eq!(reply.text, reply.message.as_ptr());
    }

    #[test]
    fn a_message_beyond_the_room_is_cut() {
        let mut reply = empty();
        assert_eq!(reply.result(Err("x".repeat(MESSAGE + 1))), REFUSED);
        assert_eq!(&reply.message[..reply.len], "x".repeat(MESSAGE).as_bytes());
    }
}
