//! Items that training never saw: rows from features alone.
//!
//! After training, a ridge regression from features to the trained rows, popularity and slack axes
//! included: what the features tell of an item's popularity is thereby part of a new item's row, and the
//! rows of known items are what they would be without it.
//!
//! Measured in NDCG@10 under P3, ten folds, paired. The sum of an item's features in place of the sum over the root of
//! their number, as in the encoder: +.006 ± .002 on ML-100K, +.009 ± .003 on ml-latest-small; that an item
//! has many tells something. The weights' power (0 to 1) and the pull (10 to 100) matter less than that. No
//! gain: the softmax loss of training users on rows from features, which fits the hits (down to -.05, the
//! longer it is trained); a turn of the predicted rows trained by that loss on predictions for items left
//! out (+.008 at best, gone ten steps later); a pull of each axis by leave-one-out; neighbouring years pulled
//! to each other; words of titles; rows that solve for the likes of training users in place of the trained ones
//! (-.02). Pairs of genres: +.005, for features that an app would have to make up.

use super::Learned;
use crate::baseline::FeatureRidge;
use crate::data::TaskSet;

/// Pull of a feature's embedding towards zero, in items.
const PULL: f32 = 30.0;

impl Learned {
    /// Fits the table that new items are embedded by to the trained rows. A row weighs the square root of its
    /// likes: rows with few are mostly noise, and alike to their start values.
    pub(crate) fn fit_new_items(&mut self, set: &TaskSet) {
        let weights: Vec<f32> =
            set.catalogue.likes.iter().map(|&likes| (1.0 + likes as f32).sqrt()).collect();
        let ridge = FeatureRidge::fit(&set.catalogue.features, &self.rows, &weights, PULL);
        (self.new_item_base, self.item_features) = (ridge.base, ridge.table);
    }
}

#[cfg(test)]
mod tests {
    use tinderbox::{ModelFile, NewItems, Session, embed_item};

    use crate::data::{Dataset, Features, Interaction, Levels};
    use crate::episode::Rank;
    use crate::export::export;
    use crate::fit::{Choice, Training};
    use crate::learner::Kind;
    use crate::run::Run;
    use crate::train::Config;

    const USERS: u32 = 40;

    /// Of 40 items, those of the even numbers are hits: twice as many users like them.
    fn dataset() -> Dataset {
        let seen =
            |user: u32, item: u32| (user * 7 + item * 11) % 10 < if item.is_multiple_of(2) { 8 } else { 4 };
        let of_user = |user: u32| {
            let items = (0..40).filter(|&item| seen(user, item));
            items.map(|item| Interaction { item, level: 0, time: 0 }).collect()
        };
        Dataset {
            users: (0..USERS).map(|user| format!("{user:02}")).collect(),
            items: (0..40).map(|item| format!("{item:02}")).collect(),
            titles: vec![None; 40],
            interactions: (0..USERS).map(of_user).collect(),
            levels: Levels::implicit(),
            item_features: Features {
                names: vec!["genre:Hit".into(), "genre:Niche".into(), "genre:Unheard".into()],
                of: (0..40).map(|item| if item % 4 == 3 { Vec::new() } else { vec![item % 2] }).collect(),
            },
            user_features: Features { names: Vec::new(), of: vec![Vec::new(); USERS as usize] },
        }
    }

    fn fit(kind: Kind) -> Run {
        let dataset = dataset();
        let training = Training::new(&dataset, &(0..32).collect::<Vec<_>>(), &[], Rank::Catalogue, 1);
        let config = Config { dim: 16, epochs: 6, ..Config::default() };
        let fitted = training.fit(Choice::One(kind), &config, &mut |_| {});
        Run::new(&dataset, &training.set, fitted, 1)
    }

    fn exported(run: &Run) -> ModelFile {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.tbx");
        export(run, &path).unwrap();
        ModelFile::read(&path).unwrap()
    }

    #[test]
    fn a_new_item_of_a_popular_genre_ranks_above_one_without_any() {
        for kind in Kind::ALL {
            let file = exported(&fit(kind));
            let model = file.model().unwrap();
            let (mut rows, mut scales) = (vec![0; 3 * model.dim()], Vec::new());
            for (row, features) in rows.chunks_exact_mut(model.dim()).zip([&[1][..], &[], &[0]]) {
                scales.push(embed_item(&model, features, row).unwrap());
            }
            let mut scratch = vec![0.0; Session::scratch_len(&model, 1)];
            let mut session = Session::new(model, &mut scratch).unwrap();
            session.add_items(NewItems { rows: &rows, scales: &scales }).unwrap();
            let [niche, nothing, hit] = [40, 41, 42].map(|item| session.score(item).unwrap());
            assert!(hit > nothing && nothing > niche, "{kind:?}: {hit} {nothing} {niche}");
        }
    }

    #[test]
    fn the_engine_embeds_by_the_very_numbers_that_were_fitted() {
        let run = fit(Kind::Maml);
        let learned = &run.learned;
        let file = exported(&run);
        let model = file.model().unwrap();
        assert_eq!(model.new_item_base(), Some(learned.new_item_base.as_slice()));
        for (feature, embedding) in learned.item_features.chunks_exact(learned.dim).enumerate() {
            assert_eq!(model.item_features().embedding(feature), Some(embedding));
        }
        for features in [&[][..], &[0], &[0, 1], &[1, 2]] {
            let mut row = vec![0; model.dim()];
            let scale = embed_item(&model, features, &mut row).unwrap();
            let mut expected = learned.new_item_base.clone();
            for &feature in features {
                let embedding = &learned.item_features[feature as usize * learned.dim..];
                expected.iter_mut().zip(embedding).for_each(|(sum, x)| *sum += x);
            }
            let length = expected.iter().map(|x| x * x).sum::<f32>().sqrt();
            for (&found, expected) in row.iter().zip(expected) {
                assert!((scale * f32::from(found) - expected / length).abs() <= 0.5001 * scale);
            }
        }
    }

    #[test]
    fn a_feature_that_no_item_carries_adds_nothing() {
        let learned = fit(Kind::Prototypical).learned;
        assert!(learned.item_features[2 * learned.dim..].iter().all(|&value| value == 0.0));
    }
}
