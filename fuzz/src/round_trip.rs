//! What the writer promises.

use crate::bits;
use crate::file::Aligned;
use arbitrary::{Arbitrary, Result, Unstructured};
use tinderbox::{FeatureTable, Model, Rule};
use tinderbox_format::{Category, Contents, Features, Level, MadeSketch, Row};

/// Whatever the contents are, they are refused, or their bytes open, verify and read back as they were.
/// Contents that are sound by construction are not refused.
pub fn round_trip(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(world) = World::draw(&mut input) else { return };
    let categories: Vec<Category<'_>> =
        world.categories.iter().map(|(name, items)| Category { name, items }).collect();
    let contents = world.contents(&categories);
    match contents.to_bytes() {
        Err(error) => assert!(!world.sound && !error.to_string().is_empty(), "refused: {error}"),
        Ok(bytes) => {
            let file = Aligned::new(&bytes);
            let model = Model::open(file.bytes()).expect("what was written opens");
            assert_eq!(model.verify(), Ok(()));
            check(&model, &contents);
        }
    }
}

/// The parts of a model, owned.
struct World {
    /// Whether they fit each other and the format.
    sound: bool,
    rule: Rule,
    dim: usize,
    prior: Vec<f32>,
    step_sizes: Vec<f32>,
    gram: Option<Vec<f32>>,
    preconditioner: Option<Vec<f32>>,
    levels: Vec<Level>,
    rows: Vec<i8>,
    scales: Vec<f32>,
    ids: Vec<String>,
    titles: Option<Vec<String>>,
    categories: Vec<(String, Vec<u32>)>,
    item_features: (Vec<String>, Vec<f32>),
    new_item_base: Option<Vec<f32>>,
    user_features: (Vec<String>, Vec<f32>),
    onboarding: Vec<u32>,
    card: String,
    sketch: Option<MadeSketch>,
}

/// Draws parts: within the format if `sound`, else of any length and value.
struct Draw<'a, 'b> {
    input: &'a mut Unstructured<'b>,
    sound: bool,
}

impl World {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let sound = input.arbitrary()?;
        let mut draw = Draw { input, sound };
        let items = draw.upto(70)?;
        let dim = if sound { 16 * (1 + draw.upto(3)?) } else { draw.upto(70)? };
        let rule = draw.rule()?;
        let (maml, matching) = (matches!(rule, Rule::Maml { .. }), matches!(rule, Rule::Matching { .. }));
        let steps = if maml || !sound { draw.upto(4)? } else { 0 };
        let rows = draw.rows(items, dim)?;
        let scales = draw.scales(&rows, items, dim)?;
        let sketch =
            if draw.any()? && !(sound && matching) { MadeSketch::of(&rows, &scales, dim) } else { None };
        Ok(Self {
            sound,
            rule,
            dim,
            prior: draw.floats(dim)?,
            step_sizes: draw.floats(steps * dim)?,
            gram: draw.matrix(dim, maml)?,
            preconditioner: draw.matrix(dim, !matching)?,
            levels: draw.levels()?,
            scales,
            rows,
            ids: draw.names(items, |item| items.abs_diff(item).to_string())?,
            titles: draw.maybe(|draw| draw.names(items, |_| String::new()))?,
            categories: draw.categories(items)?,
            item_features: draw.features(dim)?,
            new_item_base: draw.maybe(|draw| draw.floats(dim))?,
            user_features: draw.features(dim)?,
            onboarding: draw.members(items)?,
            card: draw.card()?,
            sketch,
        })
    }

    fn contents<'a>(&'a self, categories: &'a [Category<'a>]) -> Contents<'a> {
        Contents {
            rule: self.rule,
            dim: self.dim,
            prior: &self.prior,
            step_sizes: &self.step_sizes,
            gram: self.gram.as_deref(),
            preconditioner: self.preconditioner.as_deref(),
            levels: &self.levels,
            rows: &self.rows,
            scales: &self.scales,
            ids: &self.ids,
            titles: self.titles.as_deref(),
            categories,
            item_features: Features { names: &self.item_features.0, embeddings: &self.item_features.1 },
            new_item_base: self.new_item_base.as_deref(),
            user_features: Features { names: &self.user_features.0, embeddings: &self.user_features.1 },
            onboarding: &self.onboarding,
            card: &self.card,
            sketch: self.sketch.as_ref(),
        }
    }
}

impl Draw<'_, '_> {
    fn upto(&mut self, most: usize) -> Result<usize> {
        self.input.int_in_range(0..=most)
    }

    fn any<T>(&mut self) -> Result<T>
    where
        T: for<'c> Arbitrary<'c>,
    {
        self.input.arbitrary()
    }

    /// `len`, or now and then another length.
    fn len(&mut self, len: usize) -> Result<usize> {
        if self.sound || self.upto(15)? > 0 { Ok(len) } else { self.upto(2 * len + 1) }
    }

    fn maybe<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.any()? { part(self).map(Some) } else { Ok(None) }
    }

    /// Finite, or now and then of any bits.
    fn float(&mut self) -> Result<f32> {
        if self.sound || self.upto(255)? > 0 { Ok(f32::from(self.any::<i16>()?) / 256.0) } else { self.any() }
    }

    /// Above zero, or whatever [`Draw::float`] gives.
    fn positive(&mut self) -> Result<f32> {
        let value = self.float()?;
        Ok(if self.sound { value.abs() + 0.25 } else { value })
    }

    fn floats(&mut self, len: usize) -> Result<Vec<f32>> {
        (0..self.len(len)?).map(|_| self.float()).collect()
    }

    fn matrix(&mut self, dim: usize, allowed: bool) -> Result<Option<Vec<f32>>> {
        if allowed || !self.sound { self.maybe(|draw| draw.floats(dim * dim)) } else { Ok(None) }
    }

    fn rule(&mut self) -> Result<Rule> {
        Ok(match self.upto(2)? {
            0 => Rule::Maml { pull: self.positive()? },
            1 => Rule::Prototypical { scale: self.float()?, shrinkage: self.positive()? },
            _ => Rule::Matching { sharpness: self.float()?, null: self.positive()? },
        })
    }

    /// Values ascend, and at most the first and the last level are plain, if sound.
    fn levels(&mut self) -> Result<Vec<Level>> {
        let count = if self.sound { 1 + self.upto(9)? } else { self.upto(300)? };
        let mut levels = Vec::new();
        for at in 0..count {
            let (liked, plain) = (self.any()?, self.any()?);
            let (first, last) = (at == 0, at + 1 == count);
            levels.push(Level {
                value: if self.sound { at as f32 } else { self.float()? },
                target: self.float()?,
                weight: self.positive()?,
                liked: if self.sound { last } else { liked },
                plain: plain && (first || last || !self.sound),
            });
        }
        Ok(levels)
    }

    /// Rows, items x dim, without -128 and not zero, if sound.
    fn rows(&mut self, items: usize, dim: usize) -> Result<Vec<i8>> {
        let mut rows: Vec<i8> = (0..self.len(items * dim)?).map(|_| self.any()).collect::<Result<_>>()?;
        if self.sound {
            rows.iter_mut().for_each(|value| *value = (*value).max(-127));
            rows.chunks_exact_mut(dim).for_each(|row| row[0] |= 1);
        }
        Ok(rows)
    }

    /// The scale that gives each row unit norm, or now and then any.
    fn scales(&mut self, rows: &[i8], items: usize, dim: usize) -> Result<Vec<f32>> {
        let mut rows = rows.chunks(dim.max(1));
        let unit = |row: &[i8]| 1.0 / row.iter().map(|&value| f32::from(value).powi(2)).sum::<f32>().sqrt();
        let mut scales = Vec::new();
        for _ in 0..self.len(items)? {
            let wrong = !self.sound && self.upto(255)? == 0;
            scales.push(if wrong { self.any()? } else { rows.next().map_or(1.0, unit) });
        }
        Ok(scales)
    }

    /// Any texts; each ends as `end` says if sound, or now and then if not.
    fn names(&mut self, count: usize, end: impl Fn(usize) -> String) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for at in 0..self.len(count)? {
            let any: String = self.any()?;
            let ends = self.sound || self.upto(15)? > 0;
            names.push(if ends { format!("{any}\0{}", end(at)) } else { any });
        }
        Ok(names)
    }

    /// Texts that ascend, if sound.
    fn sorted_names(&mut self, most: usize) -> Result<Vec<String>> {
        let count = self.upto(most)?;
        let mut names = self.names(count, |at| at.to_string())?;
        if self.sound || self.any()? {
            names.sort_unstable();
            names.dedup();
        }
        Ok(names)
    }

    /// Items, distinct and in any order, if sound.
    fn members(&mut self, items: usize) -> Result<Vec<u32>> {
        let limit = if self.sound { items } else { items + 1 };
        let mut members: Vec<u32> = Vec::new();
        for _ in 0..self.upto(limit)? {
            let item = self.upto(limit.saturating_sub(1))? as u32;
            if !self.sound || !members.contains(&item) {
                members.push(item);
            }
        }
        Ok(members)
    }

    fn categories(&mut self, items: usize) -> Result<Vec<(String, Vec<u32>)>> {
        self.sorted_names(5)?.into_iter().map(|name| Ok((name, self.members(items)?))).collect()
    }

    fn features(&mut self, dim: usize) -> Result<(Vec<String>, Vec<f32>)> {
        let names = self.sorted_names(5)?;
        let embeddings = self.floats(names.len() * dim)?;
        Ok((names, embeddings))
    }

    fn card(&mut self) -> Result<String> {
        let text: String = self.any()?;
        Ok(if self.sound { format!("{{{text}") } else { text })
    }
}

fn check(model: &Model<'_>, written: &Contents<'_>) {
    assert_eq!((model.rule(), model.dim(), model.items()), (written.rule, written.dim, written.ids.len()));
    let rows = model.rows().iter().take(model.items()).flat_map(Row::components);
    assert!(rows.eq(written.rows.iter().copied()));
    assert_eq!(model.onboarding(), written.onboarding);
    assert_eq!(model.card(), Some(written.card));
    // What is in a sketch only `verify` can tell.
    assert_eq!(model.sketch().is_some(), written.sketch.is_some());
    check_floats(model, written);
    check_levels(model, written.levels);
    check_items(model, written);
    check_categories(model, written.categories);
    check_features(model.item_features(), written.item_features, written.dim);
    check_features(model.user_features(), written.user_features, written.dim);
}

fn check_floats(model: &Model<'_>, written: &Contents<'_>) {
    let pairs = [
        (Some(model.prior()), Some(written.prior)),
        (Some(model.step_sizes()), Some(written.step_sizes)),
        (Some(model.scales()), Some(written.scales)),
        (model.gram(), written.gram),
        (model.preconditioner(), written.preconditioner),
        (model.new_item_base(), written.new_item_base),
    ];
    for (read, written) in pairs {
        assert_eq!(read.map(all_bits), written.map(all_bits));
    }
}

fn check_levels(model: &Model<'_>, written: &[Level]) {
    let levels = model.levels();
    assert_eq!(levels.len(), written.len());
    for (at, level) in written.iter().enumerate() {
        let read = (levels.value(at), levels.target(at), levels.weight(at), levels.liked(at));
        assert_eq!(read, (level.value, level.target, level.weight, level.liked));
    }
    assert_eq!(levels.plain_like(), written.iter().position(|level| level.plain && level.liked));
    assert_eq!(levels.plain_dislike(), written.iter().position(|level| level.plain && !level.liked));
}

fn check_items(model: &Model<'_>, written: &Contents<'_>) {
    for (item, id) in written.ids.iter().enumerate() {
        assert_eq!(model.id(item), Some(&**id));
        assert_eq!(model.item(id), Some(item));
        let title = written.titles.map(|titles| &*titles[item]).filter(|title| !title.is_empty());
        assert_eq!(model.title(item), title);
    }
}

fn check_categories(model: &Model<'_>, written: &[Category<'_>]) {
    let categories = model.categories();
    assert_eq!(categories.len(), written.len());
    for (at, category) in written.iter().enumerate() {
        assert_eq!(categories.name(at), Some(category.name));
        assert_eq!(categories.find(category.name), Some(at));
        for item in 0..model.items() {
            assert_eq!(categories.contains(at, item), category.items.contains(&(item as u32)));
        }
    }
}

fn check_features(table: FeatureTable<'_>, written: Features<'_>, dim: usize) {
    assert_eq!(table.len(), written.names.len());
    for (at, (name, embedding)) in written.names.iter().zip(written.embeddings.chunks(dim)).enumerate() {
        assert_eq!((table.name(at), table.find(name)), (Some(&**name), Some(at)));
        assert_eq!(table.embedding(at).map(all_bits), Some(all_bits(embedding)));
    }
}

fn all_bits(values: &[f32]) -> Vec<u32> {
    values.iter().copied().map(bits).collect()
}
