//! A small world to write and read: every part of a model, made of a seed.

use tinderbox_format::{
    BLOCK, Category, Contents, Features, Level, MadeSketch, Model, Row, Rule, SKETCH_DIM,
};

/// Which parts a world has, and how large.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) rule: Rule,
    pub(crate) items: usize,
    pub(crate) dim: usize,
    pub(crate) steps: usize,
    pub(crate) levels: usize,
    pub(crate) categories: usize,
    pub(crate) item_features: usize,
    pub(crate) user_features: usize,
    pub(crate) onboarding: usize,
    /// Titles, preconditioner, new-item base and, for `maml`, the Gram matrix.
    pub(crate) extras: bool,
    /// Sketches of the rows.
    pub(crate) sketch: bool,
}

/// Every section that there is but for the sketches, which want longer rows.
pub(crate) const EVERYTHING: Shape = Shape {
    rule: Rule::Maml { pull: 0.125 },
    items: 20,
    dim: 16,
    steps: 2,
    levels: 5,
    categories: 3,
    item_features: 4,
    user_features: 3,
    onboarding: 5,
    extras: true,
    sketch: false,
};

/// The values of a model, owned.
pub(crate) struct World {
    shape: Shape,
    prior: Vec<f32>,
    step_sizes: Vec<f32>,
    gram: Vec<f32>,
    preconditioner: Vec<f32>,
    levels: Vec<Level>,
    rows: Vec<i8>,
    scales: Vec<f32>,
    ids: Vec<String>,
    titles: Vec<String>,
    category_names: Vec<String>,
    members: Vec<Vec<u32>>,
    item_feature_names: Vec<String>,
    item_features: Vec<f32>,
    new_item_base: Vec<f32>,
    user_feature_names: Vec<String>,
    user_features: Vec<f32>,
    onboarding: Vec<u32>,
    card: String,
    sketch: Option<MadeSketch>,
}

/// SplitMix64 (Steele et al. 2014): the worlds must not change with a crate's version.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `count` multiples of 2^-7 in -1 .. 1: exact in every arithmetic.
    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() % 256) as f32 / 128.0 - 1.0).collect()
    }

    fn row(&mut self, dim: usize) -> Vec<i8> {
        let mut row: Vec<i8> = (0..dim).map(|_| (self.next() % 255) as u8 as i8).collect();
        row.iter_mut().for_each(|value| *value = (*value).max(-127));
        row[0] = 127;
        row
    }
}

impl World {
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        let Shape { items, dim, .. } = shape;
        let mut seed = Seed(seed);
        let rows: Vec<i8> = (0..items).flat_map(|_| seed.row(dim)).collect();
        let scale = |row: &[i8]| 1.0 / row.iter().map(|&v| f32::from(v) * f32::from(v)).sum::<f32>().sqrt();
        let extra = |len| if shape.extras { len } else { 0 };
        let title = |item| {
            if item % 7 == 3 { String::new() } else { format!("Der {item}. Film — “é” 映画") }
        };
        let members = |seed: &mut Seed| (0..items as u32).filter(|_| seed.next().is_multiple_of(3)).collect();
        let scales: Vec<f32> = rows.chunks(dim).map(scale).collect();
        Self {
            shape,
            sketch: shape.sketch.then(|| MadeSketch::of(&rows, &scales, dim).expect("long rows")),
            prior: seed.floats(dim),
            step_sizes: seed.floats(shape.steps * dim),
            gram: seed.floats(extra(dim * dim)),
            preconditioner: seed.floats(extra(dim * dim)),
            levels: (0..shape.levels).map(|level| Self::level(level, shape.levels)).collect(),
            scales,
            rows,
            ids: (0..items)
                .map(|item| format!("{}{}", ["", "0", "ü"][item % 3], 977 * item % 1009))
                .collect(),
            titles: (0..extra(items)).map(title).collect(),
            category_names: Self::names("category", shape.categories),
            members: (0..shape.categories).map(|_| members(&mut seed)).collect(),
            item_feature_names: Self::names("genre", shape.item_features),
            item_features: seed.floats(shape.item_features * dim),
            new_item_base: seed.floats(extra(dim)),
            user_feature_names: Self::names("age", shape.user_features),
            user_features: seed.floats(shape.user_features * dim),
            onboarding: (0..shape.onboarding.min(items) as u32).rev().collect(),
            card: format!("{{\"items\":{items}}}"),
        }
    }

    fn level(level: usize, levels: usize) -> Level {
        let liked = level + 1 == levels || level > 2;
        let plain = level == 0 || level + 1 == levels;
        Level { value: level as f32 + 1.0, target: level as f32 / 4.0 - 0.5, weight: 1.5, liked, plain }
    }

    fn names(column: &str, count: usize) -> Vec<String> {
        (0..count).map(|value| format!("{column}:{value:03}")).collect()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let categories: Vec<Category> = self
            .category_names
            .iter()
            .zip(&self.members)
            .map(|(name, items)| Category { name, items })
            .collect();
        self.contents(&categories).to_bytes().unwrap()
    }

    pub(crate) fn contents<'a>(&'a self, categories: &'a [Category<'a>]) -> Contents<'a> {
        let is_maml = matches!(self.shape.rule, Rule::Maml { .. });
        let is_matching = matches!(self.shape.rule, Rule::Matching { .. });
        let extras = self.shape.extras;
        Contents {
            rule: self.shape.rule,
            dim: self.shape.dim,
            prior: &self.prior,
            step_sizes: &self.step_sizes,
            gram: (extras && is_maml).then_some(&self.gram),
            preconditioner: (extras && !is_matching).then_some(&self.preconditioner),
            levels: &self.levels,
            rows: &self.rows,
            scales: &self.scales,
            ids: &self.ids,
            titles: extras.then_some(&self.titles),
            categories,
            item_features: Features { names: &self.item_feature_names, embeddings: &self.item_features },
            new_item_base: extras.then_some(&self.new_item_base),
            user_features: Features { names: &self.user_feature_names, embeddings: &self.user_features },
            onboarding: &self.onboarding,
            card: &self.card,
            sketch: self.sketch.as_ref(),
        }
    }

    /// That every accessor of `model` gives what was written.
    pub(crate) fn assert_read_back(&self, model: &Model<'_>) {
        let shape = self.shape;
        let contents = self.contents(&[]);
        assert_eq!((model.rule(), model.items(), model.dim()), (shape.rule, shape.items, shape.dim));
        assert_eq!(model.steps(), shape.steps);
        assert_eq!(model.prior(), self.prior);
        assert_eq!(model.step_sizes(), self.step_sizes);
        assert_eq!(model.gram(), contents.gram);
        assert_eq!(model.preconditioner(), contents.preconditioner);
        let rows = model.rows().iter().take(shape.items).flat_map(Row::components);
        assert!(rows.eq(self.rows.iter().copied()));
        assert_eq!(model.rows().blocks().len(), shape.items.next_multiple_of(BLOCK) * shape.dim);
        assert_eq!(model.scales(), self.scales);
        assert_eq!(model.new_item_base(), contents.new_item_base);
        assert_eq!(model.onboarding(), self.onboarding);
        assert_eq!(model.card(), Some(&*self.card));
        self.assert_sketch(model);
        self.assert_levels(model);
        self.assert_items(model);
        self.assert_categories(model);
        assert_features(model.item_features(), contents.item_features, shape.dim);
        assert_features(model.user_features(), contents.user_features, shape.dim);
    }

    fn assert_sketch(&self, model: &Model<'_>) {
        assert_eq!(model.sketch().is_some(), self.shape.sketch);
        if let Some(sketch) = model.sketch() {
            let (items, dim) = (self.shape.items, self.shape.dim);
            assert_eq!(sketch.axes().len(), dim * SKETCH_DIM);
            assert_eq!(sketch.rows().blocks().len(), items.next_multiple_of(BLOCK) * SKETCH_DIM);
            assert_eq!((sketch.scales().len(), sketch.rests().len()), (items, items));
        }
    }

    fn assert_levels(&self, model: &Model<'_>) {
        let levels = model.levels();
        assert_eq!(levels.len(), self.levels.len());
        assert_eq!(levels.is_implicit(), self.levels.len() == 1);
        for (index, level) in self.levels.iter().enumerate() {
            assert_eq!(
                (levels.value(index), levels.target(index), levels.weight(index), levels.liked(index)),
                (level.value, level.target, level.weight, level.liked)
            );
            assert_eq!(levels.closest(level.value), Some(index));
        }
        assert_eq!(levels.plain_like(), self.levels.iter().position(|level| level.plain && level.liked));
        assert_eq!(levels.plain_dislike(), self.levels.iter().position(|level| level.plain && !level.liked));
    }

    fn assert_items(&self, model: &Model<'_>) {
        for (item, id) in self.ids.iter().enumerate() {
            assert_eq!(model.id(item), Some(&**id));
            assert_eq!(model.item(id), Some(item));
            let title = self.titles.get(item).map(String::as_str).filter(|title| !title.is_empty());
            assert_eq!(model.title(item), title);
        }
        assert_eq!(model.id(self.ids.len()), None);
        assert_eq!(model.title(self.ids.len()), None);
        assert_eq!(model.item("nothing"), None);
    }

    fn assert_categories(&self, model: &Model<'_>) {
        let categories = model.categories();
        assert_eq!(categories.len(), self.members.len());
        for (category, (name, members)) in self.category_names.iter().zip(&self.members).enumerate() {
            assert_eq!(categories.name(category), Some(&**name));
            assert_eq!(categories.find(name), Some(category));
            let found: Vec<u32> = (0..self.shape.items as u32)
                .filter(|&item| categories.contains(category, item as usize))
                .collect();
            assert_eq!(found, *members);
            assert!(!categories.contains(category, self.shape.items));
        }
        assert_eq!(categories.find("category"), None);
        assert_eq!(categories.bitmap(categories.len()), None);
    }
}

fn assert_features(table: tinderbox_format::FeatureTable<'_>, written: Features<'_>, dim: usize) {
    assert_eq!(table.len(), written.names.len());
    for (feature, (name, embedding)) in written.names.iter().zip(written.embeddings.chunks(dim)).enumerate() {
        assert_eq!(table.name(feature), Some(&**name));
        assert_eq!(table.find(name), Some(feature));
        assert_eq!(table.embedding(feature), Some(embedding));
    }
    assert_eq!(table.find("zzz"), None);
    assert_eq!(table.embedding(table.len()), None);
}

/// The bytes of a file at an address that is a multiple of 8.
pub(crate) struct Aligned {
    words: Vec<u64>,
    len: usize,
}

impl Aligned {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}
