//! Why a call was refused, for the host to put into words.

#[cfg(target_arch = "wasm32")]
use core::mem::offset_of;
use tinderbox::{EmbedError, OpenError, RankError, SessionError};

/// A reason with its numbers and texts: `js/words.js` makes a sentence of it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Refusal {
    pub(crate) why: Why,
    /// Zero where the sentence has fewer.
    pub(crate) numbers: [u64; 3],
    /// The host reads address and length of each. Empty where the sentence has fewer.
    texts: [&'static str; 2],
}

// The host reads them.
#[cfg(target_arch = "wasm32")]
const _: () = assert!(offset_of!(Refusal, numbers) == 8 && offset_of!(Refusal, texts) == 32);

/// The reasons, in the order of `js/words.js`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
pub(crate) enum Why {
    Magic,
    NewerVersion,
    Version,
    Length,
    HeaderChecksum,
    Limit,
    Reserved,
    SectionOrder,
    UnknownSection,
    MissingSection,
    UnexpectedSection,
    SectionOffset,
    SectionLength,
    Padding,
    Value,
    Item,
    RankedItem,
    UserFeature,
    ItemFeature,
    Category,
    NotAscending,
    NoDirection,
    RaterLength,
    RaterWithoutDirection,
    /// What the package takes care of: alignment, sizes, levels.
    Package,
}

impl Refusal {
    #[inline(never)] // called in two dozen places
    fn new(why: Why, numbers: &[u64], texts: &[&'static str]) -> Self {
        let mut refusal = Self { why, numbers: [0; 3], texts: [""; 2] };
        refusal.numbers.iter_mut().zip(numbers).for_each(|(place, number)| *place = *number);
        refusal.texts.iter_mut().zip(texts).for_each(|(place, text)| *place = *text);
        refusal
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        use OpenError as E;
        match error {
            E::Magic => Self::new(Why::Magic, &[], &[]),
            E::Version { expected, found } if found > expected => {
                Self::new(Why::NewerVersion, &[found.into(), expected.into()], &[])
            }
            E::Version { expected, found } => Self::new(Why::Version, &[found.into(), expected.into()], &[]),
            E::Length { expected, found } => Self::new(Why::Length, &[found, expected], &[]),
            E::HeaderChecksum { expected, found } => {
                Self::new(Why::HeaderChecksum, &[found.into(), expected.into()], &[])
            }
            E::Limit { field, expected, found } => Self::new(Why::Limit, &[found.into()], &[field, expected]),
            E::Reserved => Self::new(Why::Reserved, &[], &[]),
            E::SectionOrder { previous, found } => {
                Self::new(Why::SectionOrder, &[found.into(), previous.into()], &[])
            }
            E::UnknownSection { found } => Self::new(Why::UnknownSection, &[found.into()], &[]),
            E::MissingSection { section } => Self::new(Why::MissingSection, &[], &[section]),
            E::UnexpectedSection { section } => Self::new(Why::UnexpectedSection, &[], &[section]),
            E::SectionOffset { section, expected, found } => {
                Self::new(Why::SectionOffset, &[found, expected], &[section])
            }
            E::SectionLength { section, expected, found } => {
                Self::new(Why::SectionLength, &[found, expected], &[section])
            }
            E::Padding { offset } => Self::new(Why::Padding, &[offset], &[]),
            E::Value { section, index, expected } => {
                Self::new(Why::Value, &[index as u64], &[section, expected])
            }
            _ => Self::new(Why::Package, &[], &[]),
        }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        use SessionError as E;
        match error {
            E::UnknownItem { found, items } => Self::new(Why::Item, &[found.into(), items as u64], &[]),
            E::UnknownFeature { found, features } => {
                Self::new(Why::UserFeature, &[found.into(), features as u64], &[])
            }
            _ => Self::new(Why::Package, &[], &[]),
        }
    }
}

impl From<RankError> for Refusal {
    fn from(error: RankError) -> Self {
        use RankError as E;
        match error {
            E::NotAscending { position, found } => {
                Self::new(Why::NotAscending, &[found.into(), position as u64], &[])
            }
            E::UnknownItem { found, items } => Self::new(Why::RankedItem, &[found.into(), items.into()], &[]),
            E::UnknownCategory { found, categories } => {
                Self::new(Why::Category, &[found.into(), categories.into()], &[])
            }
            _ => Self::new(Why::Package, &[], &[]),
        }
    }
}

impl From<EmbedError> for Refusal {
    fn from(error: EmbedError) -> Self {
        use EmbedError as E;
        match error {
            E::UnknownFeature { found, features } => {
                Self::new(Why::ItemFeature, &[found.into(), features as u64], &[])
            }
            E::NoDirection => Self::new(Why::NoDirection, &[], &[]),
            E::RaterLength { rater, expected, found } => {
                Self::new(Why::RaterLength, &[rater as u64, found as u64, expected as u64], &[])
            }
            E::RaterWithoutDirection { rater } => Self::new(Why::RaterWithoutDirection, &[rater as u64], &[]),
            _ => Self::new(Why::Package, &[], &[]),
        }
    }
}
