//! The hand-derived gradients against central finite differences, in `f64`, for every block of every
//! learner.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tinderbox_trainer::data::{Features, Interaction};
use tinderbox_trainer::episode::Episode;
use tinderbox_trainer::learner::{Block, Kind, Objective, Parameters, Sampler, Shape, Taught, Teacher};

const ITEMS: usize = 23;
const DIM: usize = 7;
const LEVELS: usize = 3;

/// Largest error allowed, relative to the largest slope of the block.
const TOLERANCE: f64 = 1e-6;

/// Of a central difference: the error is of the order of its square and of `1e-16` over it.
const STEP: f64 = 1e-5;

struct Opinionated;

impl Teacher for Opinionated {
    fn logits(&self, support: &[Interaction], out: &mut [f32]) {
        for (item, logit) in out.iter_mut().enumerate() {
            let near = |i: &Interaction| 1.0 / (1.0 + item.abs_diff(i.item as usize) as f32);
            *logit = support.iter().map(near).sum::<f32>() - 0.02 * item as f32;
        }
    }
}

fn shape(kind: Kind, steps: usize) -> Shape {
    Shape {
        kind,
        dim: DIM,
        steps,
        gram: true,
        items: ITEMS,
        levels: LEVELS,
        item_features: 4,
        user_features: 3,
    }
}

/// Features of every number from none to three an item.
fn features() -> Features {
    let names = ["a", "b", "c", "d"].map(String::from).to_vec();
    let of = (0..ITEMS as u32).map(|item| (0..item % 4).map(|feature| (feature + item) % 4).collect());
    let sorted = of.map(|mut features: Vec<u32>| {
        features.sort_unstable();
        features
    });
    Features { names, of: sorted.collect() }
}

fn parameters(kind: Kind, steps: usize) -> Parameters<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut parameters = Parameters::zeros(shape(kind, steps));
    for block in Block::ALL {
        let centre = match block {
            Block::StepSizes | Block::Temperature => -1.2,
            Block::Sharpness => 1.0,
            _ => 0.0,
        };
        parameters[block].iter_mut().for_each(|x| *x = centre + rng.random_range(-0.5..0.5));
    }
    parameters
}

/// Ten users, more than one part of a batch holds: supports and queries of different users overlap. The last has more
/// feedback than counts in full.
fn episodes() -> Vec<Episode> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let episode = |user: usize| {
        let mut items: Vec<u32> = (0..ITEMS as u32).collect();
        rand::seq::SliceRandom::shuffle(items.as_mut_slice(), &mut rng);
        let (support, rest) = items.split_at(if user == 9 { 21 } else { 1 + user % 5 });
        let interaction =
            |(slot, &item)| Interaction { item, level: ((slot + user) % LEVELS) as u8, time: 0 };
        Episode {
            features: (0..3).filter(|feature| user >> feature & 1 == 1).collect(),
            support: support.iter().enumerate().map(interaction).collect(),
            query: rest[..rest.len().min(2 + user % 3)].to_vec(),
            gains: None,
        }
    };
    (0..10).map(episode).collect()
}

/// The same users, their queries ranked among themselves.
fn rated_episodes() -> Vec<Episode> {
    let mut episodes = episodes();
    for (user, episode) in episodes.iter_mut().enumerate() {
        let gains = (0..episode.query.len()).map(|at| [31.0, 0.0, 7.0, 1.0][(at + user) % 4]);
        episode.gains = Some(gains.collect());
    }
    episodes
}

const TAUGHT: Taught<'static> = Taught { by: &Opinionated, weight: 0.5, sharpness: 2.0 };

fn check(kind: Kind, steps: usize, taught: Option<Taught<'_>>) {
    check_on(&episodes(), kind, steps, taught);
}

fn check_on(episodes: &[Episode], kind: Kind, steps: usize, taught: Option<Taught<'_>>) {
    let objective = Objective::new(&features(), taught, false);
    let at = parameters(kind, steps);
    let (_, gradient) = objective.gradient(&at, episodes);
    let loss = |index: usize, step: f64| {
        let mut moved = at.clone();
        moved.values[index] += step;
        objective.gradient(&moved, episodes).0
    };
    for block in Block::ALL {
        let largest = gradient[block].iter().fold(1e-3, |largest: f64, slope| largest.max(slope.abs()));
        for index in at.range(block) {
            let difference = (loss(index, STEP) - loss(index, -STEP)) / (2.0 * STEP);
            let error = (gradient.values[index] - difference).abs() / largest;
            let slope = gradient.values[index];
            assert!(error < TOLERANCE, "{kind:?} {steps} {block:?}[{index}]: {slope}, not {difference}");
        }
    }
}

#[test]
fn every_slope_of_maml_is_exact_to_second_order() {
    check(Kind::Maml, 4, None);
    check(Kind::Maml, 3, Some(TAUGHT));
}

#[test]
fn every_slope_of_maml_without_inner_steps_is_exact() {
    check(Kind::Maml, 0, Some(TAUGHT));
}

#[test]
fn every_slope_of_prototypical_is_exact() {
    check(Kind::Prototypical, 0, None);
    check(Kind::Prototypical, 0, Some(TAUGHT));
}

#[test]
fn every_slope_of_matching_is_exact() {
    check(Kind::Matching, 0, None);
    check(Kind::Matching, 0, Some(TAUGHT));
}

#[test]
fn every_slope_is_exact_where_rated_items_are_ranked_among_themselves() {
    for kind in Kind::ALL {
        check_on(&rated_episodes(), kind, 3, None);
        check_on(&rated_episodes(), kind, 2, Some(TAUGHT));
    }
}

#[test]
fn every_slope_is_exact_where_the_teacher_alone_judges() {
    let mut episodes = episodes();
    episodes.iter_mut().step_by(2).for_each(|episode| episode.query.clear());
    Kind::ALL.into_iter().for_each(|kind| check_on(&episodes, kind, 2, Some(TAUGHT)));
}

#[test]
fn scores_outside_the_query_do_not_matter_where_rated_items_are_ranked_among_themselves() {
    let episodes = &rated_episodes()[..1];
    let named = |item: &u32| {
        episodes[0].query.contains(item) || episodes[0].support.iter().any(|support| support.item == *item)
    };
    let other = (0..ITEMS as u32).find(|item| !named(item)).expect("an item that is not named") as usize;
    let objective = Objective::new(&features(), Some(TAUGHT), false);
    let at = parameters(Kind::Matching, 0); // no Gram matrix
    let mut moved = at.clone();
    moved.values[other * DIM] += 1.0;
    assert_eq!(objective.gradient(&at, episodes).0, objective.gradient(&moved, episodes).0);
}

#[test]
fn every_block_of_a_rule_is_trained() {
    for kind in Kind::ALL {
        let (_, gradient) =
            Objective::new(&features(), None, false).gradient(&parameters(kind, 2), &episodes());
        for block in Block::ALL {
            let moved = gradient[block].iter().any(|&slope| slope != 0.0);
            assert!(moved || gradient[block].is_empty(), "{kind:?} {block:?}");
        }
    }
}

#[test]
fn first_order_differs_in_the_gradient_and_not_in_the_loss() {
    let at = parameters(Kind::Maml, 4);
    let of = |first_order| Objective::new(&features(), None, first_order).gradient(&at, &episodes());
    let ((exact_loss, exact), (first_loss, first)) = (of(false), of(true));
    assert_eq!(exact_loss, first_loss);
    assert_eq!(exact[Block::StepSizes][3 * DIM..], first[Block::StepSizes][3 * DIM..]);
    assert_ne!(exact[Block::Prior], first[Block::Prior]);
    assert!(first[Block::Targets].iter().all(|&slope| slope == 0.0));
}

#[test]
fn a_gradient_has_the_same_bits_with_one_thread_and_with_three() {
    let gradient = |kind, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let objective = Objective::new(&features(), Some(TAUGHT), false);
        pool.install(|| objective.gradient(&parameters(kind, 3), &episodes()))
    };
    for kind in Kind::ALL {
        assert_eq!(gradient(kind, 1), gradient(kind, 3), "{kind:?}");
    }
}

/// Popularities from a few to none.
fn likes() -> Vec<u32> {
    (0..ITEMS as u32).rev().map(|rank| rank * rank).collect()
}

#[test]
fn a_sample_of_all_rows_gives_the_full_gradient() {
    let objective = Objective::new(&features(), Some(TAUGHT), false);
    let all = Sampler::new(&likes(), usize::MAX).draw(&episodes(), &mut ChaCha8Rng::seed_from_u64(1));
    for kind in Kind::ALL {
        let at = parameters(kind, 3);
        assert_eq!(
            objective.sampled_gradient(&all, &at, &episodes()),
            objective.gradient(&at, &episodes()),
            "{kind:?}"
        );
    }
}

/// Length of the difference between the mean gradient over samples of about `size` rows and the full one,
/// relative to the latter.
fn error_of_samples(size: usize) -> f64 {
    const DRAWS: usize = 1000;
    let objective = Objective::new(&features(), Some(TAUGHT), false);
    let episodes = &episodes()[..1];
    let at = parameters(Kind::Maml, 3);
    let (_, exact) = objective.gradient(&at, episodes);
    let sampler = Sampler::new(&likes(), size);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut mean = vec![0.0; exact.values.len()];
    for _ in 0..DRAWS {
        let candidates = sampler.draw(episodes, &mut rng);
        let (_, gradient) = objective.sampled_gradient(&candidates, &at, episodes);
        let dim = at.shape.dim;
        let (rows, rest) = gradient.values.split_at(candidates.rows.len() * dim);
        let of_rows = candidates.rows.iter().flat_map(|&row| row as usize * dim..(row as usize + 1) * dim);
        let places = of_rows.chain(at.shape.items * dim..mean.len());
        for (place, slope) in places.zip(rows.iter().chain(rest)) {
            mean[place] += slope / DRAWS as f64;
        }
    }
    let squares: f64 = mean.iter().zip(&exact.values).map(|(mean, exact)| (mean - exact).powi(2)).sum();
    (squares / exact.values.iter().map(|x| x * x).sum::<f64>()).sqrt()
}

/// A sampled softmax is a ratio of two estimates: its mean lies a little off, and the less the larger the sample.
#[test]
fn the_mean_over_samples_comes_near_the_full_gradient() {
    let [few, some, most] = [6, 12, 24].map(error_of_samples);
    assert!(most < some && some < few && most < 0.1, "{few} {some} {most}");
}
