//! An opened model file.

use core::fmt;

use crate::category::Categories;
use crate::error::{OpenError, VerifyError};
use crate::feature::FeatureTable;
use crate::header::Header;
use crate::level::Levels;
use crate::names::Names;
use crate::rows::Rows;
use crate::rule::Rule;
use crate::section::{Kind, Section, Sections, entries, refuse};
use crate::sketch::Sketch;
use crate::verify::verify;

/// The sections whose values [`Model::open`] looks at all.
const FINITE: [Kind; 10] = [
    Kind::Prior,
    Kind::RuleScalars,
    Kind::StepSizes,
    Kind::Gram,
    Kind::Preconditioner,
    Kind::LevelValues,
    Kind::LevelTargets,
    Kind::LevelWeights,
    Kind::NewItemBase,
    Kind::SketchAxes,
];

/// Sections that hold texts, and those that hold their ends.
const TEXTS: [(Kind, Kind); 5] = [
    (Kind::Ids, Kind::IdEnds),
    (Kind::Titles, Kind::TitleEnds),
    (Kind::CategoryNames, Kind::CategoryNameEnds),
    (Kind::ItemFeatureNames, Kind::ItemFeatureNameEnds),
    (Kind::UserFeatureNames, Kind::UserFeatureNameEnds),
];

const SKETCH: [Kind; 4] = [Kind::SketchAxes, Kind::SketchRows, Kind::SketchScales, Kind::SketchRests];

/// A model file, opened: no accessor panics, whatever the bytes are.
///
/// Items are indices from 0 to [`items`](Self::items), most popular first. Every accessor is constant
/// time and borrows from the file, [`item`](Self::item) and the `find`s excepted, which are binary
/// searches. What an accessor of one item, feature or category returns as `None` is out of range, or
/// damaged in a way that [`verify`](Self::verify) reports.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    bytes: &'a [u8],
    header: Header,
    rule: Rule,
    sections: Sections<'a>,
}

impl<'a> Model<'a> {
    /// Opens the bytes of a model file, in constant time in the size of the catalogue.
    ///
    /// `Ok` means: the header and the section table are whole, the sections tile the file, their lengths
    /// follow from the header, the meta-parameters are finite and in range, and onboarding items exist.
    /// Rows, scales, texts, bitmaps and feature embeddings have not been looked at: a file that may
    /// have been damaged since it was written should pass [`verify`](Self::verify) once.
    ///
    /// # Errors
    /// The first thing that is wrong; [`OpenError::Misaligned`] if `bytes` does not begin at a multiple of
    /// [`ALIGNMENT`](crate::ALIGNMENT): a mapped file does, a `Vec<u8>` or `include_bytes!` need not.
    pub fn open(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let header = Header::read(bytes)?;
        let sections = Sections::read(bytes, &header)?;
        sections.check_finite(&FINITE)?;
        let rule = Rule::new(header.rule, sections.values(Kind::RuleScalars))?;
        Levels::of(&sections).check()?;
        TEXTS.iter().try_for_each(|&(bytes, ends)| Names::check(&sections, bytes, ends))?;
        sections.check_all_or_none(&SKETCH)?;
        let model = Self { bytes, header, rule, sections };
        match model.onboarding().iter().position(|&item| item >= header.items) {
            Some(index) => Err(refuse(Kind::Onboarding, index, "an item")),
            None => Ok(model),
        }
    }

    /// Checks every byte of the file, in one pass or two over each section.
    ///
    /// `Ok` means: every section has its checksum, the content id is right, and every value is as `SPEC.md`
    /// says: floats finite, rows of unit norm within rounding, text UTF-8, ids and names unique and in order.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), VerifyError> {
        verify(self)
    }

    /// The whole file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// XXH3-64 of the sections: two files with one content id hold the same model. Not against forgery.
    pub fn content_id(&self) -> u64 {
        self.header.content_id
    }

    /// The adaptation rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.header.items as usize
    }

    /// Length of an embedding: a multiple of 16, from 16 to 1024.
    pub fn dim(&self) -> usize {
        self.header.dim as usize
    }

    /// Number of inner steps, at most 64; 0 unless the rule is `maml`.
    pub fn steps(&self) -> usize {
        self.header.steps as usize
    }

    /// The user embedding before any feedback: dim values.
    pub fn prior(&self) -> &'a [f32] {
        self.sections.values(Kind::Prior)
    }

    /// Step sizes, steps x dim; empty unless the rule is `maml`.
    pub fn step_sizes(&self) -> &'a [f32] {
        self.sections.values(Kind::StepSizes)
    }

    /// The catalogue's Gram matrix times its learned factor, dim x dim; absent means zero.
    pub fn gram(&self) -> Option<&'a [f32]> {
        self.sections.optional(Kind::Gram)
    }

    /// The preconditioner, dim x dim, column after column; absent means the identity.
    pub fn preconditioner(&self) -> Option<&'a [f32]> {
        self.sections.optional(Kind::Preconditioner)
    }

    /// The feedback levels.
    pub fn levels(&self) -> Levels<'a> {
        Levels::of(&self.sections)
    }

    /// The catalogue; embedding of item `i` = scale `i` times row `i`.
    pub fn rows(&self) -> Rows<'a> {
        Rows::new(self.sections.values(Kind::Rows), self.dim())
    }

    /// One scale per item.
    pub fn scales(&self) -> &'a [f32] {
        self.sections.values(Kind::Scales)
    }

    /// Id of an item.
    pub fn id(&self, item: usize) -> Option<&'a str> {
        self.ids().get(item)
    }

    /// The item with that id. What is returned is below [`items`](Self::items), also in a damaged file.
    pub fn item(&self, id: &str) -> Option<usize> {
        self.ids().find(id, |position| self.ordered(position))
    }

    /// Title of an item; `None` also where it has none.
    pub fn title(&self, item: usize) -> Option<&'a str> {
        self.titles().get(item).filter(|title| !title.is_empty())
    }

    /// The categories; possibly none.
    pub fn categories(&self) -> Categories<'a> {
        Categories::of(&self.sections, self.items())
    }

    /// The item features; possibly none.
    pub fn item_features(&self) -> FeatureTable<'a> {
        FeatureTable::items(&self.sections, self.dim())
    }

    /// What stands for the id part of an item that training never saw, dim values; absent means zero.
    pub fn new_item_base(&self) -> Option<&'a [f32]> {
        self.sections.optional(Kind::NewItemBase)
    }

    /// The user features; possibly none.
    pub fn user_features(&self) -> FeatureTable<'a> {
        FeatureTable::users(&self.sections, self.dim())
    }

    /// Items to show a new user first, best first; each is below [`items`](Self::items). Possibly none.
    pub fn onboarding(&self) -> &'a [u32] {
        self.sections.values(Kind::Onboarding)
    }

    /// The model card, a JSON object. `None` only where [`verify`](Self::verify) would fail. Linear in
    /// its length.
    pub fn card(&self) -> Option<&'a str> {
        core::str::from_utf8(self.sections.values(Kind::Card)).ok()
    }

    /// Sketches of the rows, if ranking by them pays.
    pub fn sketch(&self) -> Option<Sketch<'a>> {
        Sketch::of(&self.sections)
    }

    /// The section table, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = Section> + 'a {
        entries(self.bytes, self.header.sections)
    }

    pub(crate) fn ids(&self) -> Names<'a> {
        Names::of(&self.sections, Kind::Ids, Kind::IdEnds)
    }

    pub(crate) fn titles(&self) -> Names<'a> {
        Names::of(&self.sections, Kind::Titles, Kind::TitleEnds)
    }

    /// The item at a position of the order by id.
    pub(crate) fn ordered(&self, position: usize) -> Option<usize> {
        Some(*self.sections.values::<u32>(Kind::IdOrder).get(position)? as usize)
    }
}

impl fmt::Debug for Model<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("rule", &self.rule)
            .field("items", &self.items())
            .field("dim", &self.dim())
            .field("steps", &self.steps())
            .field("levels", &self.levels().len())
            .field("categories", &self.categories().len())
            .field("item_features", &self.item_features().len())
            .field("user_features", &self.user_features().len())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
