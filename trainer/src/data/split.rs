//! Dealing users out to training, validation and test.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Dataset;

/// Number of folds.
pub const FOLDS: usize = 10;

/// Disjoint users, each list ascending: indices into [`Dataset::users`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Users to learn from.
    pub train: Vec<u32>,
    /// Users to choose by.
    pub validation: Vec<u32>,
    /// Users to judge on.
    pub test: Vec<u32>,
}

/// Ten rotated splits: every user is a test user once and a validation user once.
#[derive(Clone, Debug)]
pub struct Folds {
    /// All users, shuffled.
    order: Vec<u32>,
}

/// Shuffles the users by `seed` and cuts them into [`FOLDS`] parts whose sizes differ by one at most.
pub fn folds(dataset: &Dataset, seed: u64) -> Folds {
    let users: Vec<u32> = (0..dataset.users.len() as u32).collect();
    Folds { order: shuffled(&users, seed) }
}

/// Shuffles `items` by `seed` and cuts them into [`FOLDS`] parts; part `i`, in shuffled order: no order of ids tells
/// which of them are popular.
pub fn item_fold(items: usize, seed: u64, i: usize) -> Vec<u32> {
    let items: Vec<u32> = (0..items as u32).collect();
    Folds { order: shuffled(&items, seed) }.part(i % FOLDS).to_vec()
}

impl Folds {
    /// Fold `i`, counted modulo [`FOLDS`]: part `i` is tested, part `i + 1` validates, the others train.
    /// Parts are empty where there are fewer users than folds.
    pub fn fold(&self, i: usize) -> Split {
        let mut split = Split::default();
        for part in 0..FOLDS {
            let list = match (part + FOLDS - i % FOLDS) % FOLDS {
                0 => &mut split.test,
                1 => &mut split.validation,
                _ => &mut split.train,
            };
            list.extend_from_slice(self.part(part));
        }
        for list in [&mut split.train, &mut split.validation, &mut split.test] {
            list.sort_unstable();
        }
        split
    }

    fn part(&self, part: usize) -> &[u32] {
        let end = |part: usize| part * self.order.len() / FOLDS;
        &self.order[end(part)..end(part + 1)]
    }
}

/// Takes a random `share` of the users out for validation: (train, validation), each ascending. The number
/// is rounded; a share outside 0 to 1 is taken for the nearer of the two.
pub fn hold_out(users: &[u32], share: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let mut train = shuffled(users, seed);
    let mut validation =
        train.split_off(users.len() - (users.len() as f64 * share.clamp(0.0, 1.0)).round() as usize);
    train.sort_unstable();
    validation.sort_unstable();
    (train, validation)
}

fn shuffled(users: &[u32], seed: u64) -> Vec<u32> {
    let mut order = users.to_vec();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds_of(users: u32, seed: u64) -> Folds {
        Folds { order: shuffled(&(0..users).collect::<Vec<_>>(), seed) }
    }

    #[test]
    fn every_fold_deals_out_every_user_once() {
        for users in [0, 7, 10, 943] {
            for i in 0..FOLDS {
                let Split { train, validation, test } = folds_of(users, 1).fold(i);
                assert!(train.is_sorted() && validation.is_sorted() && test.is_sorted());
                let mut all = [train, validation, test].concat();
                all.sort_unstable();
                assert_eq!(all, (0..users).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_user_is_tested_once_and_validates_in_the_fold_before() {
        let folds = folds_of(95, 3);
        let mut tested: Vec<u32> = (0..FOLDS).flat_map(|i| folds.fold(i).test).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..95).collect::<Vec<_>>());
        for i in 0..FOLDS {
            assert_eq!(folds.fold(i).validation, folds.fold(i + 1).test);
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(folds_of(50, 1).fold(0), folds_of(50, 1).fold(0));
        assert_ne!(folds_of(50, 1).fold(0), folds_of(50, 2).fold(0));
    }

    #[test]
    fn a_share_is_held_out() {
        let users: Vec<u32> = (100..200).collect();
        let (train, validation) = hold_out(&users, 0.1, 5);
        assert_eq!((train.len(), validation.len()), (90, 10));
        assert!(validation.iter().all(|user| !train.contains(user) && users.contains(user)));
        assert!(hold_out(&users, 7.0, 5).0.is_empty());
        assert!(hold_out(&users, f64::NAN, 5).1.is_empty());
    }
}
