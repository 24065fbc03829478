//! What a call says of how it went.

use crate::memory::Text;
use core::ffi::{CStr, c_char};
use tinderbox::{EmbedError, FeedbackError, Kernel, OpenError, RankError, SessionError, VerifyError};

/// Goes up by one whenever a program compiled against an older header would misbehave.
pub const ABI_VERSION: u32 = 1;

/// How a call went. What is refused has no effect, and writes no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[expect(missing_docs, reason = "`TEXTS` says what each means")]
pub enum Status {
    Ok = 0,

    // The call itself.
    NullPointer = 1,
    MisalignedPointer = 2,
    Length = 3,
    MisalignedMemory = 4,
    MemoryTooSmall = 5,
    NotAHandle = 6,
    NotUtf8 = 7,
    Absent = 8,
    Other = 9,

    // Opening and verifying a model file.
    FileMisaligned = 20,
    FileMagic = 21,
    FileVersion = 22,
    FileLength = 23,
    FileHeader = 24,
    FileSection = 25,
    FilePadding = 26,
    FileValue = 27,
    FileChecksum = 28,

    // What the model does not know.
    UnknownId = 40,
    UnknownItem = 41,
    UnknownCategory = 42,
    UnknownFeature = 43,
    UnknownLevel = 44,
    NoLikes = 45,
    NoDislikes = 46,
    OffScale = 47,

    // What does not fit.
    SupportTooLong = 60,
    NotAscending = 61,
    RowLength = 62,
    NoDirection = 63,
    RaterWithoutDirection = 64,
}

/// What each status means, and what to do.
const TEXTS: [(Status, &CStr); 32] = [
    (Status::Ok, c"done"),
    (Status::NullPointer, c"a pointer is null: only an array of no elements and a filter may be"),
    (Status::MisalignedPointer, c"a pointer is not aligned for what it points to: do not cast from bytes"),
    (Status::Length, c"a length is more than memory can hold: lengths count elements, and are not negative"),
    (Status::MisalignedMemory, c"memory for a handle must begin at a multiple of TBX_ALIGNMENT: malloc's does"),
    (Status::MemoryTooSmall, c"the memory is too small: ask the function's _size sibling first"),
    (Status::NotAHandle, c"not a handle of this kind, or one that was copied: use it where it was made, or make it anew there"),
    (Status::NotUtf8, c"the text is not UTF-8"),
    (Status::Absent, c"there is none"),
    (Status::Other, c"refused for a reason that this version of the interface has no status for"),
    (Status::FileMisaligned, c"the file's bytes must begin at a multiple of TBX_ALIGNMENT: map the file, or read it into memory \
                  from malloc; store an asset uncompressed and aligned"),
    (Status::FileMagic, c"not a model file, or one that was transferred as text: transfer it as binary"),
    (Status::FileVersion, c"a model file of another format version: update the engine, or export the file again"),
    (Status::FileLength, c"the model file is cut short or has bytes behind it: fetch or export it again"),
    (Status::FileHeader, c"the header of the model file is damaged: fetch or export it again"),
    (Status::FileSection, c"a section of the model file is missing, unknown or of the wrong size: update the engine, or export \
                  the file again"),
    (Status::FilePadding, c"a byte between the sections of the model file is not zero: fetch or export it again"),
    (Status::FileValue, c"a value of the model file is not allowed: export it again with a current tool"),
    (Status::FileChecksum, c"the model file is damaged: fetch or export it again"),
    (Status::UnknownId, c"no item of the catalogue has this id: ids are compared letter by letter"),
    (Status::UnknownItem, c"there is no item of this number: look items up with tbx_item, each model file has its own numbers"),
    (Status::UnknownCategory, c"there is no category of this number or name"),
    (Status::UnknownFeature, c"there is no feature of this number or name"),
    (Status::UnknownLevel, c"there is no feedback level of this number: make interactions with tbx_rate"),
    (Status::NoLikes, c"the model has no level for a bare like: give a rating"),
    (Status::NoDislikes, c"the model has no level for a bare dislike: give a rating or, if it has none, leave it out"),
    (Status::OffScale, c"the rating is off the model's scale: tbx_model_level tells the levels"),
    (Status::SupportTooLong, c"more interactions than the session has room for: give the latest ones, or a session of more capacity"),
    (Status::NotAscending, c"a list of a filter is not ascending: sort it and remove duplicates"),
    (Status::RowLength, c"the length of a row is not the model's dim"),
    (Status::NoDirection, c"the features add up to no direction: give at least one that the model knows"),
    (Status::RaterWithoutDirection, c"a rater's embedding has no direction: take it from tbx_user"),
];

impl From<OpenError> for Status {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Misaligned { .. } => Self::FileMisaligned,
            OpenError::Magic => Self::FileMagic,
            OpenError::Version { .. } => Self::FileVersion,
            OpenError::Length { .. } => Self::FileLength,
            OpenError::HeaderChecksum { .. } | OpenError::Limit { .. } | OpenError::Reserved => {
                Self::FileHeader
            }
            OpenError::SectionOrder { .. }
            | OpenError::UnknownSection { .. }
            | OpenError::MissingSection { .. }
            | OpenError::UnexpectedSection { .. }
            | OpenError::SectionOffset { .. }
            | OpenError::SectionLength { .. } => Self::FileSection,
            OpenError::Padding { .. } => Self::FilePadding,
            OpenError::Value { .. } => Self::FileValue,
            _ => Self::Other,
        }
    }
}

impl From<VerifyError> for Status {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Checksum { .. } | VerifyError::ContentId { .. } => Self::FileChecksum,
            VerifyError::Value { .. } => Self::FileValue,
            _ => Self::Other,
        }
    }
}

impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::ScratchTooSmall { .. } => Self::MemoryTooSmall,
            SessionError::SupportTooLong { .. } => Self::SupportTooLong,
            SessionError::UnknownItem { .. } => Self::UnknownItem,
            SessionError::UnknownLevel { .. } => Self::UnknownLevel,
            SessionError::UnknownFeature { .. } => Self::UnknownFeature,
            SessionError::NewItemsShape { .. } => Self::RowLength,
            _ => Self::Other,
        }
    }
}

impl From<FeedbackError> for Status {
    fn from(error: FeedbackError) -> Self {
        match error {
            FeedbackError::UnknownId => Self::UnknownId,
            FeedbackError::NoLikes => Self::NoLikes,
            FeedbackError::NoDislikes => Self::NoDislikes,
            FeedbackError::OffScale { .. } => Self::OffScale,
            _ => Self::Other,
        }
    }
}

impl From<RankError> for Status {
    fn from(error: RankError) -> Self {
        match error {
            RankError::NotAscending { .. } => Self::NotAscending,
            RankError::UnknownItem { .. } => Self::UnknownItem,
            RankError::UnknownCategory { .. } => Self::UnknownCategory,
            RankError::ScratchTooSmall { .. } => Self::MemoryTooSmall,
            _ => Self::Other,
        }
    }
}

impl From<EmbedError> for Status {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::RowLength { .. } | EmbedError::RaterLength { .. } => Self::RowLength,
            EmbedError::UnknownFeature { .. } => Self::UnknownFeature,
            EmbedError::UnknownLevel { .. } => Self::UnknownLevel,
            EmbedError::NoDirection => Self::NoDirection,
            EmbedError::RaterWithoutDirection { .. } => Self::RaterWithoutDirection,
            EmbedError::ScratchTooSmall { .. } => Self::MemoryTooSmall,
            _ => Self::Other,
        }
    }
}

/// What a status means and what to do about it: a sentence in English that ends in a zero byte and lives forever.
/// Never null, for numbers that are no status neither.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "exported by name")]
pub extern "C" fn tbx_status_text(status: i32) -> *const c_char {
    let known = TEXTS.iter().find(|(known, _)| *known as i32 == status);
    known.map_or(c"not a status of this version", |(_, text)| text).as_ptr()
}

/// The TBX_ABI_VERSION that the library was built with: compare it with the header's where they may differ.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "exported by name")]
pub extern "C" fn tbx_abi_version() -> u32 {
    ABI_VERSION
}

/// Name of the instruction set that this CPU is served with, such as "avx2". Results do not depend on it.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "exported by name")]
pub extern "C" fn tbx_kernel() -> Text {
    Kernel::detect().name().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_says_what_to_do() {
        let header = include_str!("../include/tinderbox.h").lines().map(str::trim);
        let statuses =
            header.filter_map(|line| line.strip_prefix("TBX_STATUS_")?.strip_suffix(',')?.split_once(" = "));
        let named: std::vec::Vec<i32> = statuses.map(|(_, number)| number.parse().unwrap()).collect();
        let known = TEXTS.map(|(status, _)| status as i32);
        assert_eq!(named, known, "TEXTS has every status, in order");
        for (at, (status, text)) in TEXTS.iter().enumerate() {
            assert!(
                TEXTS[..at].iter().all(|(_, before)| before != text),
                "{status:?} says what another says"
            );
        }
    }
}
