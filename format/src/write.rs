//! Writing a model file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::string::String;
use std::vec::Vec;

use bytemuck::NoUninit;

use crate::checksum::{content_id, crc32c};
use crate::error::{OpenError, VerifyError};
use crate::header::{HEADER_LEN, Header};
use crate::level::{LIKED, PLAIN};
use crate::model::Model;
use crate::rows::in_blocks;
use crate::rule::Rule;
use crate::section::{ENTRY_LEN, Kind, SECTION_ALIGNMENT, Section, table_end};
use crate::sketch::{MadeSketch, SKETCH_DIM};

/// All that a model file holds. What is optional is empty, or `None`, in [`Contents::default`].
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The adaptation rule.
    pub rule: Rule,
    /// Length of an embedding: a multiple of 16, from 16 to 1024.
    pub dim: usize,
    /// The user embedding before any feedback, dim values.
    pub prior: &'a [f32],
    /// Step sizes, steps x dim; `maml` only, which with none ranks by the prior.
    pub step_sizes: &'a [f32],
    /// The catalogue's Gram matrix times its learned factor, dim x dim; `maml` only, optional.
    pub gram: Option<&'a [f32]>,
    /// The preconditioner, dim x dim, column after column; not for `matching`, optional.
    pub preconditioner: Option<&'a [f32]>,
    /// The feedback levels, ratings ascending strictly; at least one.
    pub levels: &'a [Level],
    /// The catalogue, items x dim, most popular first, without -128.
    pub rows: &'a [i8],
    /// One scale per item; scale times row has unit norm.
    pub scales: &'a [f32],
    /// One id per item, unique.
    pub ids: &'a [String],
    /// One title per item, empty where an item has none; optional.
    pub titles: Option<&'a [String]>,
    /// The categories, sorted by name; optional.
    pub categories: &'a [Category<'a>],
    /// The item features; optional.
    pub item_features: Features<'a>,
    /// What stands for the id part of an item that training never saw, dim values; optional.
    pub new_item_base: Option<&'a [f32]>,
    /// The user features; optional.
    pub user_features: Features<'a>,
    /// Items to show a new user first, best first, distinct, at most 1024; optional.
    pub onboarding: &'a [u32],
    /// The model card, a JSON object; `{}` says nothing.
    pub card: &'a str,
    /// Sketches of the rows; not for `matching`, optional.
    pub sketch: Option<&'a MadeSketch>,
}

/// A feedback level to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Raw rating.
    pub value: f32,
    /// The score that an adaptation aims at.
    pub target: f32,
    /// How much the feedback counts; at least 0.
    pub weight: f32,
    /// Whether the level counts as liked.
    pub liked: bool,
    /// Whether a bare like (if `liked`) or dislike stands for this level: at most one level of each.
    pub plain: bool,
}

/// A category to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category<'a> {
    /// Its name.
    pub name: &'a str,
    /// The items in it, in any order.
    pub items: &'a [u32],
}

/// Features to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features<'a> {
    /// `column:value` each, sorted, unique.
    pub names: &'a [String],
    /// Their embeddings, features x dim.
    pub embeddings: &'a [f32],
}

/// Why a model file was not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// A part is not as long as the others ask for.
    Length {
        /// Name of the part.
        part: &'static str,
        /// Values that it must have.
        expected: usize,
        /// Values that it has.
        found: usize,
    },
    /// A part is too long for the format.
    TooLong {
        /// Name of the part.
        part: &'static str,
    },
    /// Two items have one id.
    DuplicateId(String),
    /// A category names an item that does not exist.
    NoSuchItem {
        /// Name of the category.
        category: String,
        /// The item.
        item: u32,
        /// Number of items.
        items: usize,
    },
    /// A count or a meta-parameter is not allowed.
    Open(OpenError),
    /// A value is not allowed.
    Verify(VerifyError),
    /// The file system refused. The file that was to be replaced, if any, is as it was, unless only the last step,
    /// syncing the directory, failed.
    Io(io::Error),
}

impl Default for Contents<'_> {
    /// Nothing but an empty card; the rule is `maml` without pull.
    fn default() -> Self {
        Self {
            rule: Rule::Maml { pull: 0.0 },
            dim: 0,
            prior: &[],
            step_sizes: &[],
            gram: None,
            preconditioner: None,
            levels: &[],
            rows: &[],
            scales: &[],
            ids: &[],
            titles: None,
            categories: &[],
            item_features: Features::default(),
            new_item_base: None,
            user_features: Features::default(),
            onboarding: &[],
            card: "{}",
            sketch: None,
        }
    }
}

impl Contents<'_> {
    /// The bytes of a file that opens and verifies. The same contents give the same bytes. To open them in
    /// place, mind [`ALIGNMENT`](crate::ALIGNMENT), which a `Vec<u8>` does not promise.
    ///
    /// # Errors
    /// The first part that does not fit the others or the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        Ok(bytemuck::cast_slice(&self.words()?).to_vec())
    }

    /// Writes the file to `path`. An existing file is replaced, never changed in place: whoever has it
    /// mapped keeps the old one. After `Ok` the new file is on the disk; after an error nothing at `path`
    /// has changed, unless only the last step, syncing the directory, failed.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes), and [`WriteError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        let words = self.words()?;
        replace(path, bytemuck::cast_slice(&words)).map_err(WriteError::Io)
    }

    /// The file as u64, so that it is aligned as [`Model::open`] asks.
    fn words(&self) -> Result<Vec<u64>, WriteError> {
        let header = self.header()?;
        header.check_limits().map_err(WriteError::Open)?;
        self.check_lengths()?;
        let words = assemble(header, &self.payloads()?);
        let model = Model::open(bytemuck::cast_slice(&words)).map_err(WriteError::Open)?;
        model.verify().map_err(WriteError::Verify)?;
        Ok(words)
    }

    /// Checks that the parts fit each other: what [`Model::open`] would report in bytes. Dim is within its
    /// limit; products of counts saturate, since no slice is that long.
    fn check_lengths(&self) -> Result<(), WriteError> {
        let (items, dim) = (self.ids.len(), self.dim);
        let whole_steps = self.step_sizes.len().next_multiple_of(dim.max(1));
        let square = |matrix: Option<&[f32]>| matrix.map_or(dim * dim, <[f32]>::len);
        let features =
            |features: Features| (features.names.len().saturating_mul(dim), features.embeddings.len());
        let (item_features, found_item_features) = features(self.item_features);
        let (user_features, found_user_features) = features(self.user_features);
        let lengths = [
            ("prior", dim, self.prior.len()),
            ("step sizes", whole_steps, self.step_sizes.len()),
            ("gram", dim * dim, square(self.gram)),
            ("preconditioner", dim * dim, square(self.preconditioner)),
            ("rows", items.saturating_mul(dim), self.rows.len()),
            ("scales", items, self.scales.len()),
            ("titles", items, self.titles.map_or(items, <[String]>::len)),
            ("item features", item_features, found_item_features),
            ("new item base", dim, self.new_item_base.map_or(dim, <[f32]>::len)),
            ("user features", user_features, found_user_features),
            (
                "sketch axes",
                SKETCH_DIM * dim,
                self.sketch.map_or(SKETCH_DIM * dim, |sketch| sketch.axes.len()),
            ),
            ("sketch scales", items, self.sketch.map_or(items, |sketch| sketch.scales.len())),
        ];
        match lengths.into_iter().find(|(_, expected, found)| expected != found) {
            Some((part, expected, found)) => Err(WriteError::Length { part, expected, found }),
            None => Ok(()),
        }
    }

    /// The header, but for what follows from the sections.
    fn header(&self) -> Result<Header, WriteError> {
        Ok(Header {
            content_id: 0,
            items: count("ids", self.ids.len())?,
            dim: count("dim", self.dim)?,
            steps: count("step sizes", self.step_sizes.len() / self.dim.max(1))?,
            levels: count("levels", self.levels.len())?,
            rule: self.rule.code(),
            item_features: count("item features", self.item_features.names.len())?,
            user_features: count("user features", self.user_features.names.len())?,
            categories: count("categories", self.categories.len())?,
            sections: 0,
        })
    }

    /// The sections in the order of the file.
    fn payloads(&self) -> Result<Payloads<'_>, WriteError> {
        let mut payloads = Payloads(Vec::new());
        payloads.put(Kind::Prior, self.prior);
        payloads.put_owned(Kind::RuleScalars, &self.rule.scalars());
        if matches!(self.rule, Rule::Maml { .. }) || !self.step_sizes.is_empty() {
            payloads.put(Kind::StepSizes, self.step_sizes);
        }
        payloads.put_optional(Kind::Gram, self.gram);
        payloads.put_optional(Kind::Preconditioner, self.preconditioner);
        payloads.put_owned(Kind::LevelValues, &self.of_levels(|level| level.value));
        payloads.put_owned(Kind::LevelTargets, &self.of_levels(|level| level.target));
        payloads.put_owned(Kind::LevelWeights, &self.of_levels(|level| level.weight));
        payloads.put_owned(Kind::LevelFlags, &self.of_levels(Level::flags));
        payloads.put_owned(Kind::Rows, &in_blocks(self.rows, self.dim));
        payloads.put(Kind::Scales, self.scales);
        payloads.put_texts(Kind::Ids, Kind::IdEnds, self.ids.iter().map(String::as_str))?;
        payloads.put_owned(Kind::IdOrder, &self.id_order()?);
        if let Some(titles) = self.titles {
            payloads.put_texts(Kind::Titles, Kind::TitleEnds, titles.iter().map(String::as_str))?;
        }
        if !self.categories.is_empty() {
            let names = self.categories.iter().map(|category| category.name);
            payloads.put_texts(Kind::CategoryNames, Kind::CategoryNameEnds, names)?;
            payloads.put_owned(Kind::CategoryBitmaps, &self.bitmaps()?);
        }
        if !self.item_features.names.is_empty() {
            let names = self.item_features.names.iter().map(String::as_str);
            payloads.put_texts(Kind::ItemFeatureNames, Kind::ItemFeatureNameEnds, names)?;
            payloads.put(Kind::ItemFeatures, self.item_features.embeddings);
        }
        payloads.put_optional(Kind::NewItemBase, self.new_item_base);
        if !self.user_features.names.is_empty() {
            let names = self.user_features.names.iter().map(String::as_str);
            payloads.put_texts(Kind::UserFeatureNames, Kind::UserFeatureNameEnds, names)?;
            payloads.put(Kind::UserFeatures, self.user_features.embeddings);
        }
        if !self.onboarding.is_empty() {
            payloads.put(Kind::Onboarding, self.onboarding);
        }
        payloads.put(Kind::Card, self.card.as_bytes());
        if let Some(sketch) = self.sketch {
            payloads.put(Kind::SketchAxes, &sketch.axes);
            payloads.put_owned(Kind::SketchRows, &in_blocks(&sketch.rows, SKETCH_DIM));
            payloads.put(Kind::SketchScales, &sketch.scales);
            payloads.put(Kind::SketchRests, &sketch.rests);
        }
        Ok(payloads)
    }

    fn of_levels<T>(&self, part: impl Fn(&Level) -> T) -> Vec<T> {
        self.levels.iter().map(part).collect()
    }

    /// The items in the order of their ids' bytes.
    fn id_order(&self) -> Result<Vec<u32>, WriteError> {
        let id = |item: u32| &self.ids[item as usize];
        let mut order: Vec<u32> = (0..count("ids", self.ids.len())?).collect();
        order.sort_unstable_by_key(|&item| (id(item), item));
        match order.windows(2).find(|pair| id(pair[0]) == id(pair[1])) {
            Some(pair) => Err(WriteError::DuplicateId(id(pair[0]).clone())),
            None => Ok(order),
        }
    }

    /// The categories as bitmaps, categories x ceil(items / 64).
    fn bitmaps(&self) -> Result<Vec<u64>, WriteError> {
        let items = self.ids.len();
        let words = items.div_ceil(64);
        let mut bitmaps = std::vec![0; words * self.categories.len()];
        for (index, category) in self.categories.iter().enumerate() {
            for &item in category.items {
                let at = item as usize;
                if at >= items {
                    return Err(WriteError::NoSuchItem { category: category.name.into(), item, items });
                }
                bitmaps[index * words + at / 64] |= 1 << (at % 64);
            }
        }
        Ok(bitmaps)
    }
}

impl Level {
    fn flags(&self) -> u32 {
        (if self.liked { LIKED } else { 0 }) | (if self.plain { PLAIN } else { 0 })
    }
}

/// The bytes of the sections, kinds ascending.
struct Payloads<'a>(Vec<(Kind, Cow<'a, [u8]>)>);

impl<'a> Payloads<'a> {
    fn put<T: NoUninit>(&mut self, kind: Kind, values: &'a [T]) {
        self.0.push((kind, Cow::Borrowed(bytemuck::cast_slice(values))));
    }

    fn put_optional<T: NoUninit>(&mut self, kind: Kind, values: Option<&'a [T]>) {
        if let Some(values) = values {
            self.put(kind, values);
        }
    }

    fn put_owned<T: NoUninit>(&mut self, kind: Kind, values: &[T]) {
        self.0.push((kind, Cow::Owned(bytemuck::cast_slice(values).to_vec())));
    }

    fn put_texts<'t>(
        &mut self,
        bytes_kind: Kind,
        ends_kind: Kind,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), WriteError> {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(count(bytes_kind.name(), bytes.len())?);
        }
        self.0.push((bytes_kind, Cow::Owned(bytes)));
        self.put_owned(ends_kind, &ends);
        Ok(())
    }
}

/// Lays the sections out after header and table, and fills in every checksum.
fn assemble(header: Header, payloads: &Payloads<'_>) -> Vec<u64> {
    let sections = payloads.0.len() as u32; // one of each kind at most
    let start = table_end(sections).next_multiple_of(SECTION_ALIGNMENT);
    let mut table = Vec::with_capacity(payloads.0.len() * ENTRY_LEN);
    let mut offset = start;
    for (kind, bytes) in &payloads.0 {
        let len = bytes.len() as u64;
        let section = Section { kind: *kind as u32, crc: crc32c(&[bytes]), offset, len };
        table.extend_from_slice(&section.to_bytes());
        offset = (offset + len).next_multiple_of(SECTION_ALIGNMENT);
    }
    let file_len = offset;
    let mut words = std::vec![0_u64; file_len as usize / size_of::<u64>()];
    let (head, tail) = bytemuck::cast_slice_mut::<u64, u8>(&mut words).split_at_mut(start as usize);
    let mut rest = &mut *tail;
    for (_, bytes) in &payloads.0 {
        let padded = bytes.len().next_multiple_of(SECTION_ALIGNMENT as usize);
        let (place, after) = rest.split_at_mut(padded);
        place[..bytes.len()].copy_from_slice(bytes);
        rest = after;
    }
    let header = Header { content_id: content_id(tail), sections, ..header };
    head[..HEADER_LEN].copy_from_slice(&header.to_bytes(file_len, &table));
    head[HEADER_LEN..][..table.len()].copy_from_slice(&table);
    words
}

fn count(part: &'static str, value: usize) -> Result<u32, WriteError> {
    u32::try_from(value).map_err(|_| WriteError::TooLong { part })
}

/// Puts `bytes` at `path` so that a reader sees the old file or the new one, whole: temporary sibling, sync, rename,
/// sync of the directory. [`Contents::write`] ends with it; other files beside a model file want it too.
///
/// # Errors
/// The operating system's; `path` has changed only if the last step, syncing the directory, failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tinderbox-");
    #[cfg(unix)]
    {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666)); // less the umask, as for any new file
    }
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // Only Unix can open a directory, and needs to for the rename to outlast a power cut.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { part, expected, found } => {
                write!(f, "{part} has {found} values, expected {expected}")
            }
            Self::TooLong { part } => write!(f, "{part}: more than the format can address (2^32)"),
            Self::DuplicateId(id) => write!(f, "two items have the id '{id}': ids must be unique"),
            Self::NoSuchItem { category, item, items } => {
                write!(f, "category '{category}' names item {item}, expected less than {items}")
            }
            Self::Open(error) => write!(f, "the contents are not a model: {error}"),
            Self::Verify(error) => write!(f, "the contents are not a model: {error}"),
            Self::Io(error) => write!(f, "the file could not be written: {error}"),
        }
    }
}

// The messages hold what lies behind them: a chain of sources would say it twice.
impl std::error::Error for WriteError {}
