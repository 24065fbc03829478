//! The section table: which sections a file has, how long each must be, and that they tile the file.

use bytemuck::AnyBitPattern;

use crate::error::OpenError;
use crate::header::{HEADER_LEN, Header, MAX_ONBOARDING, wide};
use crate::rule::RuleCode;
use crate::sketch::SKETCH_DIM;

/// Sections begin at multiples of this: a cache line.
pub(crate) const SECTION_ALIGNMENT: u64 = 64;
pub(crate) const ENTRY_LEN: usize = 24;
/// A kind with this bit may be skipped by a reader that does not know it.
const OPTIONAL: u32 = 1 << 31;

/// One entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds, as a number of `SPEC.md`.
    pub kind: u32,
    /// CRC-32C of its bytes.
    pub crc: u32,
    /// First byte, from the start of the file.
    pub offset: u64,
    /// Bytes, without the padding that follows.
    pub len: u64,
}

/// What a section holds. Those from [`OPTIONAL`] on may be skipped by readers that came before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Prior = 1,
    RuleScalars,
    StepSizes,
    Gram,
    Preconditioner,
    LevelValues,
    LevelTargets,
    LevelWeights,
    LevelFlags,
    Rows,
    Scales,
    Ids,
    IdEnds,
    IdOrder,
    Titles,
    TitleEnds,
    CategoryNames,
    CategoryNameEnds,
    CategoryBitmaps,
    ItemFeatureNames,
    ItemFeatureNameEnds,
    ItemFeatures,
    NewItemBase,
    UserFeatureNames,
    UserFeatureNameEnds,
    UserFeatures,
    Onboarding,
    Card,
    SketchAxes = OPTIONAL + 1,
    SketchRows,
    SketchScales,
    SketchRests,
}

/// Whether a file may have a section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
    Refused,
}

/// How many bytes a section may have.
#[derive(Clone, Copy)]
enum Length {
    Exactly(u64),
    /// A multiple of the first, at most the second.
    UpTo(u64, u64),
}

/// Text is addressed by u32 ends.
const TEXT: Length = Length::UpTo(1, u32::MAX as u64);

impl Section {
    /// Name of what the section holds.
    pub fn name(&self) -> &'static str {
        Kind::new(self.kind).map_or("optional section of a later version", Kind::name)
    }

    fn read(entry: &[u8; ENTRY_LEN]) -> Self {
        let words: [u32; ENTRY_LEN / 4] = bytemuck::cast(*entry);
        let [kind, crc, offset_low, offset_high, len_low, len_high] = words;
        Self { kind, crc, offset: wide(offset_low, offset_high), len: wide(len_low, len_high) }
    }

    #[cfg(feature = "std")]
    pub(crate) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        use crate::header::narrow;
        let [offset_low, offset_high] = narrow(self.offset);
        let [len_low, len_high] = narrow(self.len);
        bytemuck::cast([self.kind, self.crc, offset_low, offset_high, len_low, len_high])
    }

    /// The section's bytes; `None` where it reaches beyond the file.
    pub(crate) fn of<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let len = usize::try_from(self.len).ok()?;
        file.get(start..)?.get(..len)
    }
}

impl Kind {
    const ALL: [Self; 32] = [
        Self::Prior,
        Self::RuleScalars,
        Self::StepSizes,
        Self::Gram,
        Self::Preconditioner,
        Self::LevelValues,
        Self::LevelTargets,
        Self::LevelWeights,
        Self::LevelFlags,
        Self::Rows,
        Self::Scales,
        Self::Ids,
        Self::IdEnds,
        Self::IdOrder,
        Self::Titles,
        Self::TitleEnds,
        Self::CategoryNames,
        Self::CategoryNameEnds,
        Self::CategoryBitmaps,
        Self::ItemFeatureNames,
        Self::ItemFeatureNameEnds,
        Self::ItemFeatures,
        Self::NewItemBase,
        Self::UserFeatureNames,
        Self::UserFeatureNameEnds,
        Self::UserFeatures,
        Self::Onboarding,
        Self::Card,
        Self::SketchAxes,
        Self::SketchRows,
        Self::SketchScales,
        Self::SketchRests,
    ];
    /// How many of them are not optional by their number.
    const PLAIN: u32 = 28;

    fn new(code: u32) -> Option<Self> {
        let kind = *Self::ALL.get(Self::place(code)?)?;
        (kind as u32 == code).then_some(kind)
    }

    fn index(self) -> usize {
        Self::place(self as u32).unwrap_or_default()
    }

    /// Where the kind with this code stands in [`Kind::ALL`], if there is one.
    fn place(code: u32) -> Option<usize> {
        let plain = code & !OPTIONAL;
        let before = if code & OPTIONAL == 0 { 0 } else { Self::PLAIN };
        usize::try_from(before.checked_add(plain.checked_sub(1)?)?).ok()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::RuleScalars => "rule scalars",
            Self::StepSizes => "step sizes",
            Self::Gram => "gram",
            Self::Preconditioner => "preconditioner",
            Self::LevelValues => "level values",
            Self::LevelTargets => "level targets",
            Self::LevelWeights => "level weights",
            Self::LevelFlags => "level flags",
            Self::Rows => "rows",
            Self::Scales => "scales",
            Self::Ids => "ids",
            Self::IdEnds => "id ends",
            Self::IdOrder => "id order",
            Self::Titles => "titles",
            Self::TitleEnds => "title ends",
            Self::CategoryNames => "category names",
            Self::CategoryNameEnds => "category name ends",
            Self::CategoryBitmaps => "category bitmaps",
            Self::ItemFeatureNames => "item feature names",
            Self::ItemFeatureNameEnds => "item feature name ends",
            Self::ItemFeatures => "item features",
            Self::NewItemBase => "new item base",
            Self::UserFeatureNames => "user feature names",
            Self::UserFeatureNameEnds => "user feature name ends",
            Self::UserFeatures => "user features",
            Self::Onboarding => "onboarding",
            Self::Card => "card",
            Self::SketchAxes => "sketch axes",
            Self::SketchRows => "sketch rows",
            Self::SketchScales => "sketch scales",
            Self::SketchRests => "sketch rests",
        }
    }

    /// What the header's counts and rule ask of the section. Within the limits of the header no product
    /// reaches 2^42.
    fn demands(self, header: &Header) -> (Presence, Length) {
        use Length::{Exactly, UpTo};
        use Presence::{Optional, Refused, Required};
        let required_if = |condition| if condition { Required } else { Refused };
        let optional_if = |condition| if condition { Optional } else { Refused };
        let [n, d, steps] = [header.items, header.dim, header.steps].map(u64::from);
        let [levels, categories] = [header.levels, header.categories].map(u64::from);
        let [item_features, user_features] = [header.item_features, header.user_features].map(u64::from);
        let sketched = header.rule != RuleCode::Matching && d >= 2 * SKETCH_DIM as u64;
        match self {
            Self::Prior => (Required, Exactly(4 * d)),
            Self::RuleScalars => (Required, Exactly(4 * header.rule.scalars())),
            Self::StepSizes => (required_if(header.rule == RuleCode::Maml), Exactly(4 * steps * d)),
            Self::Gram => (optional_if(header.rule == RuleCode::Maml), Exactly(4 * d * d)),
            Self::Preconditioner => (optional_if(header.rule != RuleCode::Matching), Exactly(4 * d * d)),
            Self::LevelValues | Self::LevelTargets | Self::LevelWeights | Self::LevelFlags => {
                (Required, Exactly(4 * levels))
            }
            Self::Rows => (Required, Exactly(n * d)),
            Self::Scales | Self::IdEnds | Self::IdOrder => (Required, Exactly(4 * n)),
            Self::Ids => (Required, TEXT),
            Self::Titles => (Optional, TEXT),
            Self::TitleEnds => (Optional, Exactly(4 * n)),
            Self::CategoryNames => (required_if(categories > 0), TEXT),
            Self::CategoryNameEnds => (required_if(categories > 0), Exactly(4 * categories)),
            Self::CategoryBitmaps => (required_if(categories > 0), Exactly(8 * categories * n.div_ceil(64))),
            Self::ItemFeatureNames => (required_if(item_features > 0), TEXT),
            Self::ItemFeatureNameEnds => (required_if(item_features > 0), Exactly(4 * item_features)),
            Self::ItemFeatures => (required_if(item_features > 0), Exactly(4 * item_features * d)),
            Self::NewItemBase => (Optional, Exactly(4 * d)),
            Self::UserFeatureNames => (required_if(user_features > 0), TEXT),
            Self::UserFeatureNameEnds => (required_if(user_features > 0), Exactly(4 * user_features)),
            Self::UserFeatures => (required_if(user_features > 0), Exactly(4 * user_features * d)),
            Self::Onboarding => (Optional, UpTo(4, 4 * n.min(u64::from(MAX_ONBOARDING)))),
            Self::Card => (Required, TEXT),
            Self::SketchAxes => (optional_if(sketched), Exactly(4 * SKETCH_DIM as u64 * d)),
            Self::SketchRows => (optional_if(sketched), Exactly(SKETCH_DIM as u64 * n)),
            Self::SketchScales | Self::SketchRests => (optional_if(sketched), Exactly(4 * n)),
        }
    }
}

/// The sections of a file, by kind.
pub(crate) struct Sections<'a>([Option<&'a [u8]>; Kind::ALL.len()]);

impl<'a> Sections<'a> {
    /// Finds the sections of `file`, whose header and table are known to be whole. `Ok` means: the sections
    /// tile the file, the padding is zero, every section that must be there is, with the length that the
    /// header asks for. At most [`MAX_SECTIONS`](crate::header::MAX_SECTIONS) steps of constant work.
    pub(crate) fn read(file: &'a [u8], header: &Header) -> Result<Self, OpenError> {
        let mut found = [None; Kind::ALL.len()];
        let mut previous = 0;
        let mut end = table_end(header.sections);
        for section in entries(file, header.sections) {
            if section.kind <= previous {
                return Err(OpenError::SectionOrder { previous, found: section.kind });
            }
            previous = section.kind;
            let bytes = place(file, end, &section)?;
            end = section.offset + section.len;
            match Kind::new(section.kind) {
                Some(kind) => found[kind.index()] = Some(bytes),
                None if section.kind & OPTIONAL != 0 => {}
                None => return Err(OpenError::UnknownSection { found: section.kind }),
            }
        }
        check_end(file, end)?;
        for kind in Kind::ALL {
            check_demands(kind, found[kind.index()], header)?;
        }
        Ok(Self(found))
    }

    /// The section's values; empty where there is no such section.
    pub(crate) fn values<T: AnyBitPattern>(&self, kind: Kind) -> &'a [T] {
        self.optional(kind).unwrap_or_default()
    }

    /// The section's values; `None` where there is no such section.
    pub(crate) fn optional<T: AnyBitPattern>(&self, kind: Kind) -> Option<&'a [T]> {
        // Never fails: the base, the offset and the length have been checked.
        self.0[kind.index()].and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
    }
}

/// The entries of the table of a file whose header is known to be whole.
pub(crate) fn entries(file: &[u8], sections: u32) -> impl Iterator<Item = Section> + '_ {
    let (entries, _) = file.get(HEADER_LEN..).unwrap_or(&[]).as_chunks::<ENTRY_LEN>();
    entries.iter().take(sections as usize).map(Section::read)
}

/// Where the table ends; the first section begins at the next multiple of [`SECTION_ALIGNMENT`].
pub(crate) fn table_end(sections: u32) -> u64 {
    HEADER_LEN as u64 + ENTRY_LEN as u64 * u64::from(sections)
}

/// The bytes of `section`, which must begin at the first multiple of [`SECTION_ALIGNMENT`] from `end`,
/// where the bytes before it end.
fn place<'a>(file: &'a [u8], end: u64, section: &Section) -> Result<&'a [u8], OpenError> {
    let expected = end.next_multiple_of(SECTION_ALIGNMENT); // `end` is within the file: no overflow
    if section.offset != expected {
        return Err(OpenError::SectionOffset { section: section.name(), expected, found: section.offset });
    }
    let bytes = section.of(file).ok_or(OpenError::SectionLength {
        section: section.name(),
        expected: (file.len() as u64).saturating_sub(section.offset),
        found: section.len,
    })?;
    check_padding(file, end, expected)?;
    Ok(bytes)
}

fn check_end(file: &[u8], end: u64) -> Result<(), OpenError> {
    let expected = end.next_multiple_of(SECTION_ALIGNMENT);
    if file.len() as u64 != expected {
        return Err(OpenError::Length { expected, found: file.len() as u64 });
    }
    check_padding(file, end, expected)
}

/// Fewer than [`SECTION_ALIGNMENT`] bytes, all of them within `file`.
fn check_padding(file: &[u8], from: u64, to: u64) -> Result<(), OpenError> {
    let padding = file.get(from as usize..to as usize).unwrap_or(&[]);
    match padding.iter().position(|&byte| byte != 0) {
        Some(at) => Err(OpenError::Padding { offset: from + at as u64 }),
        None => Ok(()),
    }
}

fn check_demands(kind: Kind, found: Option<&[u8]>, header: &Header) -> Result<(), OpenError> {
    let section = kind.name();
    let (presence, length) = kind.demands(header);
    let Some(bytes) = found else {
        return match presence {
            Presence::Required => Err(OpenError::MissingSection { section }),
            Presence::Optional | Presence::Refused => Ok(()),
        };
    };
    if presence == Presence::Refused {
        return Err(OpenError::UnexpectedSection { section });
    }
    let found = bytes.len() as u64;
    let (expected, allowed) = match length {
        Length::Exactly(len) => (len, found == len),
        Length::UpTo(unit, most) => {
            (most.min(found.next_multiple_of(unit)), found <= most && found.is_multiple_of(unit))
        }
    };
    if allowed { Ok(()) } else { Err(OpenError::SectionLength { section, expected, found }) }
}
