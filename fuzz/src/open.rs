//! What `Model::open` and `Model::verify` promise.

use crate::file::Aligned;
use tinderbox::{Categories, FeatureTable, Levels, Model};
use tinderbox_format::BLOCK;

/// Whatever the bytes are: `open` and `verify` return; no accessor of what opens panics, and none leads out
/// of the catalogue; what verifies reads as `SPEC.md` says, and opens and verifies again wherever it is
/// copied to.
///
/// The bytes are tried as they are and with their checksums made right.
pub fn open(bytes: &[u8]) {
    for file in [Aligned::new(bytes), Aligned::sealed(bytes)] {
        match Model::open(file.bytes()) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(model) => check(&model),
        }
    }
}

fn check(model: &Model<'_>) {
    check_shapes(model);
    check_items(model);
    check_levels(model.levels());
    check_categories(model);
    check_features(model.item_features(), model.dim());
    check_features(model.user_features(), model.dim());
    assert!(format!("{model:?}").len() < 300);
    match model.verify() {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(()) => check_verified(model),
    }
}

fn check_shapes(model: &Model<'_>) {
    let (items, dim) = (model.items(), model.dim());
    assert_eq!(model.prior().len(), dim);
    assert_eq!(model.step_sizes().len(), model.steps() * dim);
    assert_eq!(model.rows().blocks().len(), items.next_multiple_of(BLOCK) * dim);
    assert_eq!(model.scales().len(), items);
    assert!(model.gram().is_none_or(|gram| gram.len() == dim * dim));
    assert!(model.preconditioner().is_none_or(|columns| columns.len() == dim * dim));
    assert!(model.new_item_base().is_none_or(|base| base.len() == dim));
    assert!(model.onboarding().iter().all(|&item| (item as usize) < items));
    assert!(model.sections().all(|section| !section.name().is_empty()));
    let _ = (model.content_id(), model.rule().name(), model.card());
}

fn check_items(model: &Model<'_>) {
    for item in beyond(model.items()) {
        let (id, title) = (model.id(item), model.title(item));
        assert!(item < model.items() || (id, title) == (None, None));
        let found = id.and_then(|id| model.item(id));
        assert!(found.is_none_or(|found| found < model.items()));
    }
    assert!(model.item("").is_none_or(|item| item < model.items()));
}

fn check_levels(levels: Levels<'_>) {
    for level in beyond(levels.len()) {
        let value = levels.value(level);
        assert!(levels.target(level).is_finite() && levels.weight(level) >= 0.0);
        let _ = levels.liked(level);
        assert!(level >= levels.len() || levels.closest(value) == Some(level));
    }
    for value in [f32::NAN, f32::MIN, 0.0, 3.0, f32::MAX, f32::INFINITY] {
        assert!(levels.closest(value).is_none_or(|level| level < levels.len()));
    }
    for plain in [levels.plain_like(), levels.plain_dislike()] {
        assert!(plain.is_none_or(|level| level < levels.len()));
    }
}

fn check_categories(model: &Model<'_>) {
    let categories = model.categories();
    for category in beyond(categories.len()) {
        let bitmap = categories.bitmap(category);
        assert_eq!(bitmap.is_some(), category < categories.len());
        assert!(bitmap.is_none_or(|bitmap| bitmap.len() == model.items().div_ceil(64)));
        for item in beyond(model.items()) {
            assert!(item < model.items() || !categories.contains(category, item));
        }
        let found = categories.name(category).and_then(|name| categories.find(name));
        assert!(found.is_none_or(|found| found < categories.len()));
    }
}

fn check_features(features: FeatureTable<'_>, dim: usize) {
    for feature in beyond(features.len()) {
        let embedding = features.embedding(feature);
        assert_eq!(embedding.map(<[f32]>::len), (feature < features.len()).then_some(dim));
        let found = features.name(feature).and_then(|name| features.find(name));
        assert!(found.is_none_or(|found| found < features.len()));
    }
}

fn check_verified(model: &Model<'_>) {
    for item in 0..model.items() {
        let id = model.id(item).expect("verified: every item has an id");
        assert_eq!(model.item(id), Some(item));
    }
    assert!(!model.rows().blocks().contains(&i8::MIN));
    assert!(model.scales().iter().all(|scale| scale.is_finite() && *scale > 0.0));
    check_verified_categories(model.categories());
    check_verified_features(model.item_features());
    check_verified_features(model.user_features());
    assert!(model.card().is_some_and(|card| card.starts_with('{')));
    let copy = Aligned::new(model.bytes());
    let again = Model::open(copy.bytes()).expect("the same bytes open");
    assert_eq!(again.verify(), Ok(()));
}

fn check_verified_categories(categories: Categories<'_>) {
    for category in 0..categories.len() {
        let name = categories.name(category).expect("verified: every category has a name");
        assert_eq!(categories.find(name), Some(category));
    }
}

fn check_verified_features(features: FeatureTable<'_>) {
    for feature in 0..features.len() {
        let name = features.name(feature).expect("verified: every feature has a name");
        assert_eq!(features.find(name), Some(feature));
        let embedding = features.embedding(feature).expect("below the number of features");
        assert!(embedding.iter().all(|value| value.is_finite()));
    }
}

/// Every index, and some out of range.
fn beyond(len: usize) -> impl Iterator<Item = usize> {
    (0..len.saturating_add(2)).chain([usize::MAX / 64, usize::MAX])
}
