//! The first 128 bytes: what the file is, how long, and the counts that every section length follows from.

use crate::checksum::crc32c;
use crate::error::OpenError;
use crate::rule::RuleCode;
use crate::section::table_end;

/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 2;
/// What the address of a model's first byte must be a multiple of, for its values to be read in place.
pub const ALIGNMENT: usize = 8;
/// The most items of a model.
pub const MAX_ITEMS: u32 = (1 << 31) - 1;
/// The longest embedding; every length is a multiple of 16.
pub const MAX_DIM: u32 = 1024;
/// The most inner steps.
pub const MAX_STEPS: u32 = 64;
/// The most feedback levels.
pub const MAX_LEVELS: u32 = 255;
/// The most item features, and the most user features.
pub const MAX_FEATURES: u32 = (1 << 24) - 1;
/// The most categories.
pub const MAX_CATEGORIES: u32 = 4096;
/// The most onboarding items.
pub const MAX_ONBOARDING: u32 = 1024;

/// The most sections: bounds the work of `open`.
pub(crate) const MAX_SECTIONS: u32 = 64;

pub(crate) const HEADER_LEN: usize = 128;
/// As PNG's: not text, and CR LF, ctrl-Z and LF do not survive a transfer as text.
const MAGIC: [u8; 8] = *b"\x89TBX\r\n\x1a\n";
const CRC_OFFSET: usize = 12;
const RESERVED: [u32; 15] = [0; 15];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) content_id: u64,
    pub(crate) items: u32,
    pub(crate) dim: u32,
    pub(crate) steps: u32,
    pub(crate) levels: u32,
    pub(crate) rule: RuleCode,
    pub(crate) item_features: u32,
    pub(crate) user_features: u32,
    pub(crate) categories: u32,
    pub(crate) sections: u32,
}

impl Header {
    /// Reads the header at the start of `bytes`. `Ok` means: this version, this length, the checksum of
    /// header and table is right, every count is within its limits.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        let found = bytes.as_ptr().addr() % ALIGNMENT;
        if found != 0 {
            return Err(OpenError::Misaligned { expected: ALIGNMENT, found });
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(OpenError::Magic);
        }
        let found = bytes.len() as u64;
        let header: &[u8; HEADER_LEN] =
            bytes.first_chunk().ok_or(OpenError::Length { expected: HEADER_LEN as u64, found })?;
        let words: [u32; HEADER_LEN / 4] = bytemuck::cast(*header);
        let [
            _magic_low,
            _magic_high,
            version,
            _crc,
            file_len_low,
            file_len_high,
            content_id_low,
            content_id_high,
            items,
            dim,
            steps,
            levels,
            rule,
            item_features,
            user_features,
            categories,
            sections,
            reserved @ ..,
        ] = words;
        if version != VERSION {
            return Err(OpenError::Version { expected: VERSION, found: version });
        }
        let file_len = wide(file_len_low, file_len_high);
        if file_len != found {
            return Err(OpenError::Length { expected: file_len, found });
        }
        if sections > MAX_SECTIONS {
            return Err(OpenError::Limit { field: "sections", expected: "at most 64", found: sections });
        }
        let table_end = table_end(sections);
        let whole = bytes.get(..table_end as usize); // at most 128 + 24 x 64
        check_crc(whole.ok_or(OpenError::Length { expected: table_end, found })?)?;
        let rule = RuleCode::new(rule).ok_or(OpenError::Limit {
            field: "rule",
            expected: "1 (maml), 2 (prototypical) or 3 (matching)",
            found: rule,
        })?;
        if reserved != RESERVED {
            return Err(OpenError::Reserved);
        }
        let content_id = wide(content_id_low, content_id_high);
        let header = Self {
            content_id,
            items,
            dim,
            steps,
            levels,
            rule,
            item_features,
            user_features,
            categories,
            sections,
        };
        header.check_limits()?;
        Ok(header)
    }

    pub(crate) fn check_limits(&self) -> Result<(), OpenError> {
        let max_steps = if self.rule == RuleCode::Maml { MAX_STEPS } else { 0 };
        let dim_is_allowed = (16..=MAX_DIM).contains(&self.dim) && self.dim.is_multiple_of(16);
        let limits = [
            ("items", self.items <= MAX_ITEMS, "less than 2^31", self.items),
            ("dim", dim_is_allowed, "a multiple of 16 from 16 to 1024", self.dim),
            ("steps", self.steps <= max_steps, "at most 64, and 0 unless the rule is maml", self.steps),
            ("levels", (1..=MAX_LEVELS).contains(&self.levels), "from 1 to 255", self.levels),
            ("item features", self.item_features <= MAX_FEATURES, "less than 2^24", self.item_features),
            ("user features", self.user_features <= MAX_FEATURES, "less than 2^24", self.user_features),
            ("categories", self.categories <= MAX_CATEGORIES, "at most 4096", self.categories),
        ];
        match limits.into_iter().find(|&(_, allowed, _, _)| !allowed) {
            Some((field, _, expected, found)) => Err(OpenError::Limit { field, expected, found }),
            None => Ok(()),
        }
    }

    /// The header's bytes, before a table with these bytes, in a file of this length.
    #[cfg(feature = "std")]
    pub(crate) fn to_bytes(self, file_len: u64, table: &[u8]) -> [u8; HEADER_LEN] {
        let [magic_low, magic_high]: [u32; 2] = bytemuck::cast(MAGIC);
        let [file_len_low, file_len_high] = narrow(file_len);
        let [content_id_low, content_id_high] = narrow(self.content_id);
        let mut words = [0; HEADER_LEN / 4];
        words[..HEADER_LEN / 4 - RESERVED.len()].copy_from_slice(&[
            magic_low,
            magic_high,
            VERSION,
            0,
            file_len_low,
            file_len_high,
            content_id_low,
            content_id_high,
            self.items,
            self.dim,
            self.steps,
            self.levels,
            self.rule as u32,
            self.item_features,
            self.user_features,
            self.categories,
            self.sections,
        ]);
        let bytes: [u8; HEADER_LEN] = bytemuck::cast(words);
        words[CRC_OFFSET / 4] = crc32c(&[&bytes, table]);
        bytemuck::cast(words)
    }
}

/// Checks the CRC-32C over header and table, with the bytes of the CRC itself taken as zero.
fn check_crc(header_and_table: &[u8]) -> Result<(), OpenError> {
    let (before, rest) = header_and_table.split_at_checked(CRC_OFFSET).unwrap_or((&[], &[]));
    let (crc, after) = rest.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let expected = u32::from_le_bytes(*crc);
    let found = crc32c(&[before, &[0; 4], after]);
    if expected == found { Ok(()) } else { Err(OpenError::HeaderChecksum { expected, found }) }
}

/// A u64 from its little-endian halves.
pub(crate) fn wide(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The little-endian halves of a u64.
#[cfg(feature = "std")]
pub(crate) fn narrow(value: u64) -> [u32; 2] {
    bytemuck::cast(value)
}
