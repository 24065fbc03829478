//! The section table: which sections a file has, how long each must be, and that they tile the file.

use bytemuck::AnyBitPattern;

use crate::error::OpenError;
use crate::header::{HEADER_LEN, Header, MAX_ONBOARDING, wide};
use crate::rows::BLOCK;
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

/// What the table of `SPEC.md` says of a kind.
struct Specified {
    kind: Kind,
    name: &'static str,
    presence: Presence,
    when: When,
    len: Length,
}

/// Whether a section has to be there where it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// Which files may have a section; in others it is refused.
#[derive(Clone, Copy)]
enum When {
    Always,
    Maml,
    NotMatching,
    Sketched,
    /// This count is not zero.
    Some(Count),
}

/// How many bytes a section has.
#[derive(Clone, Copy)]
enum Length {
    /// The first times both counts.
    Exactly(u8, Count, Count),
    /// A multiple of the first, at most the first times the count.
    UpTo(u8, Count),
}

/// What lengths are made of.
#[derive(Clone, Copy)]
enum Count {
    One,
    Items,
    /// Places for rows: whole blocks.
    Places,
    Dim,
    Steps,
    Levels,
    Categories,
    ItemFeatures,
    UserFeatures,
    RuleScalars,
    Onboarding,
    SketchDim,
    /// Words of a bitmap over the items.
    BitmapWords,
    /// Text is addressed by u32 ends.
    Text,
}

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

/// Every kind, in the order of the file.
#[rustfmt::skip] // a table: a line for each
const SPECIFIED: [Specified; 32] = {
    use Length::{Exactly, UpTo};
    use Presence::{Optional, Required};
    use {Count as C, Kind as K, When as W};
    const fn row(kind: Kind, name: &'static str, presence: Presence, when: When, len: Length) -> Specified {
        Specified { kind, name, presence, when, len }
    }
    [
        row(K::Prior, "prior", Required, W::Always, Exactly(4, C::Dim, C::One)),
        row(K::RuleScalars, "rule scalars", Required, W::Always, Exactly(4, C::RuleScalars, C::One)),
        row(K::StepSizes, "step sizes", Required, W::Maml, Exactly(4, C::Steps, C::Dim)),
        row(K::Gram, "gram", Optional, W::Maml, Exactly(4, C::Dim, C::Dim)),
        row(K::Preconditioner, "preconditioner", Optional, W::NotMatching, Exactly(4, C::Dim, C::Dim)),
        row(K::LevelValues, "level values", Required, W::Always, Exactly(4, C::Levels, C::One)),
        row(K::LevelTargets, "level targets", Required, W::Always, Exactly(4, C::Levels, C::One)),
        row(K::LevelWeights, "level weights", Required, W::Always, Exactly(4, C::Levels, C::One)),
        row(K::LevelFlags, "level flags", Required, W::Always, Exactly(4, C::Levels, C::One)),
        row(K::Rows, "rows", Required, W::Always, Exactly(1, C::Places, C::Dim)),
        row(K::Scales, "scales", Required, W::Always, Exactly(4, C::Items, C::One)),
        row(K::Ids, "ids", Required, W::Always, UpTo(1, C::Text)),
        row(K::IdEnds, "id ends", Required, W::Always, Exactly(4, C::Items, C::One)),
        row(K::IdOrder, "id order", Required, W::Always, Exactly(4, C::Items, C::One)),
        row(K::Titles, "titles", Optional, W::Always, UpTo(1, C::Text)),
        row(K::TitleEnds, "title ends", Optional, W::Always, Exactly(4, C::Items, C::One)),
        row(K::CategoryNames, "category names", Required, W::Some(C::Categories), UpTo(1, C::Text)),
        row(K::CategoryNameEnds, "category name ends", Required, W::Some(C::Categories), Exactly(4, C::Categories, C::One)),
        row(K::CategoryBitmaps, "category bitmaps", Required, W::Some(C::Categories), Exactly(8, C::Categories, C::BitmapWords)),
        row(K::ItemFeatureNames, "item feature names", Required, W::Some(C::ItemFeatures), UpTo(1, C::Text)),
        row(K::ItemFeatureNameEnds, "item feature name ends", Required, W::Some(C::ItemFeatures), Exactly(4, C::ItemFeatures, C::One)),
        row(K::ItemFeatures, "item features", Required, W::Some(C::ItemFeatures), Exactly(4, C::ItemFeatures, C::Dim)),
        row(K::NewItemBase, "new item base", Optional, W::Always, Exactly(4, C::Dim, C::One)),
        row(K::UserFeatureNames, "user feature names", Required, W::Some(C::UserFeatures), UpTo(1, C::Text)),
        row(K::UserFeatureNameEnds, "user feature name ends", Required, W::Some(C::UserFeatures), Exactly(4, C::UserFeatures, C::One)),
        row(K::UserFeatures, "user features", Required, W::Some(C::UserFeatures), Exactly(4, C::UserFeatures, C::Dim)),
        row(K::Onboarding, "onboarding", Optional, W::Always, UpTo(4, C::Onboarding)),
        row(K::Card, "card", Required, W::Always, UpTo(1, C::Text)),
        row(K::SketchAxes, "sketch axes", Optional, W::Sketched, Exactly(4, C::SketchDim, C::Dim)),
        row(K::SketchRows, "sketch rows", Optional, W::Sketched, Exactly(1, C::SketchDim, C::Places)),
        row(K::SketchScales, "sketch scales", Optional, W::Sketched, Exactly(4, C::Items, C::One)),
        row(K::SketchRests, "sketch rests", Optional, W::Sketched, Exactly(4, C::Items, C::One)),
    ]
};

impl Specified {
    /// Checks the section of this kind, if there is one, against the header's counts and rule.
    fn check(&self, found: Option<&[u8]>, header: &Header) -> Result<(), OpenError> {
        let section = self.name;
        let allowed = match self.when {
            When::Always => true,
            When::Maml => header.rule == RuleCode::Maml,
            When::NotMatching => header.rule != RuleCode::Matching,
            When::Sketched => header.rule != RuleCode::Matching && header.dim as usize >= 2 * SKETCH_DIM,
            When::Some(count) => count.of(header) > 0,
        };
        let found = match found {
            Some(_) if !allowed => return Err(OpenError::UnexpectedSection { section }),
            Some(bytes) => bytes.len() as u64,
            None if allowed && self.presence == Presence::Required => {
                return Err(OpenError::MissingSection { section });
            }
            None => return Ok(()),
        };
        let expected = match self.len {
            Length::Exactly(unit, a, b) => u64::from(unit) * a.of(header) * b.of(header),
            Length::UpTo(unit, most) => {
                let unit = u64::from(unit);
                found.next_multiple_of(unit).min(unit * most.of(header))
            }
        };
        if found == expected { Ok(()) } else { Err(OpenError::SectionLength { section, expected, found }) }
    }
}

impl Count {
    /// Within the limits of the header no product of two reaches 2^42.
    fn of(self, header: &Header) -> u64 {
        match self {
            Self::One => 1,
            Self::Items => header.items.into(),
            Self::Places => u64::from(header.items).next_multiple_of(BLOCK as u64),
            Self::Dim => header.dim.into(),
            Self::Steps => header.steps.into(),
            Self::Levels => header.levels.into(),
            Self::Categories => header.categories.into(),
            Self::ItemFeatures => header.item_features.into(),
            Self::UserFeatures => header.user_features.into(),
            Self::RuleScalars => header.rule.scalars(),
            Self::Onboarding => header.items.min(MAX_ONBOARDING).into(),
            Self::SketchDim => SKETCH_DIM as u64,
            Self::BitmapWords => u64::from(header.items).div_ceil(64),
            Self::Text => u32::MAX.into(),
        }
    }
}

impl Kind {
    /// How many of them are not optional by their number.
    const PLAIN: u32 = 28;

    fn new(code: u32) -> Option<Self> {
        let kind = SPECIFIED.get(Self::place(code)?)?.kind;
        (kind as u32 == code).then_some(kind)
    }

    fn index(self) -> usize {
        Self::place(self as u32).unwrap_or_default()
    }

    /// Where the kind with this code stands in [`SPECIFIED`], if there is one.
    fn place(code: u32) -> Option<usize> {
        let plain = code & !OPTIONAL;
        let before = if code & OPTIONAL == 0 { 0 } else { Self::PLAIN };
        usize::try_from(before.checked_add(plain.checked_sub(1)?)?).ok()
    }

    pub(crate) fn name(self) -> &'static str {
        SPECIFIED.get(self.index()).map_or("", |specified| specified.name)
    }
}

/// The sections of a file, by kind.
#[derive(Clone, Copy)]
pub(crate) struct Sections<'a>([Option<&'a [u8]>; SPECIFIED.len()]);

impl<'a> Sections<'a> {
    /// Finds the sections of `file`, whose header and table are known to be whole. `Ok` means: the sections
    /// tile the file, the padding is zero, every section that must be there is, with the length that the
    /// header asks for. At most [`MAX_SECTIONS`](crate::header::MAX_SECTIONS) steps of constant work.
    pub(crate) fn read(file: &'a [u8], header: &Header) -> Result<Self, OpenError> {
        let mut found = [None; SPECIFIED.len()];
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
        for (specified, found) in SPECIFIED.iter().zip(found) {
            specified.check(found, header)?;
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

    /// Checks that all of these sections are there, or none.
    pub(crate) fn check_all_or_none(&self, kinds: &[Kind]) -> Result<(), OpenError> {
        let is_missing = |kind: &&Kind| self.0[kind.index()].is_none();
        match kinds.iter().find(is_missing) {
            Some(missing) if !kinds.iter().all(|kind| is_missing(&kind)) => {
                Err(OpenError::MissingSection { section: missing.name() })
            }
            _ => Ok(()),
        }
    }

    /// Checks that every value of these sections is finite.
    pub(crate) fn check_finite(&self, kinds: &[Kind]) -> Result<(), OpenError> {
        kinds.iter().try_for_each(|&kind| match first_not_finite(self.values(kind)) {
            Some(index) => Err(refuse(kind, index, "finite")),
            None => Ok(()),
        })
    }
}

/// The index of the first value that is infinite or NaN. Whole blocks are looked at first: without a way out of the
/// middle they take vector instructions.
pub(crate) fn first_not_finite(values: &[f32]) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_finite = |block: &[f32]| block.iter().fold(true, |all, value| all & value.is_finite());
    let block = values.chunks(BLOCK).position(|block| !is_finite(block))?;
    let start = block * BLOCK;
    Some(start + values[start..].iter().position(|value| !value.is_finite())?)
}

pub(crate) fn refuse(kind: Kind, index: usize, expected: &'static str) -> OpenError {
    OpenError::Value { section: kind.name(), index, expected }
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
