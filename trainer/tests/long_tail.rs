//! Long-tailed data: hundreds of niches, each liked by few users, more of them than a small embedding has dimensions.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tinderbox_trainer::data::{Dataset, Features, Interaction, Levels};
use tinderbox_trainer::evaluate::{Outcome, Plan, Protocol, evaluate};
use tinderbox_trainer::fit::{mean, paired};
use tinderbox_trainer::train::Config;

const USERS: u32 = 600;
const NICHES: u32 = 150;
const ITEMS_OF_A_NICHE: u32 = 10;

/// Users who take most of three niches' items and some of what is popular with everyone: the first of each niche.
fn niches() -> Dataset {
    let items = NICHES * ITEMS_OF_A_NICHE;
    let all: Vec<u32> = (0..NICHES).collect();
    let taken_by = |user: u32| {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(user));
        let own: Vec<u32> = all.sample(&mut rng, 3).copied().collect();
        let of_niches = own.iter().flat_map(|niche| (0..ITEMS_OF_A_NICHE).map(move |at| niche + at * NICHES));
        let mut taken: Vec<u32> = of_niches.filter(|_| rng.random_ratio(4, 5)).collect();
        taken.extend((0..8).map(|_| rng.random_range(0..NICHES).min(rng.random_range(0..NICHES))));
        taken.sort_unstable();
        taken.dedup();
        taken.into_iter().map(|item| Interaction { item, level: 0, time: 0 }).collect()
    };
    Dataset {
        users: (0..USERS).map(|user| format!("{user:03}")).collect(),
        items: (0..items).map(|item| format!("{item:04}")).collect(),
        titles: vec![None; items as usize],
        interactions: (0..USERS).map(taken_by).collect(),
        levels: Levels::implicit(),
        item_features: Features { names: Vec::new(), of: vec![Vec::new(); items as usize] },
        user_features: Features { names: Vec::new(), of: vec![Vec::new(); USERS as usize] },
    }
}

fn ndcg(outcome: &Outcome) -> Vec<f64> {
    let of_user =
        |users: &[tinderbox_trainer::metrics::Metrics; 5]| users.iter().map(|m| m.ndcg_10).sum::<f64>() / 5.0;
    outcome.users.iter().map(of_user).collect()
}

#[test]
fn auto_takes_more_dimensions_and_is_not_below_a_baseline() {
    let methods = ["auto", "maml", "ridge", "user-knn", "item-knn", "ials", "popularity"];
    let plan = Plan {
        protocol: Protocol::P1,
        folds: 1,
        methods: methods.iter().map(|name| name.parse().unwrap()).collect(),
        config: Config::default(),
        dim: None,
        seed: 1,
    };
    let (dataset, _) = niches().filter(5, 20);
    let outcomes = evaluate(&dataset, &plan, &mut |_| {}).unwrap();
    let (auto, others) = outcomes.split_first().unwrap();
    for other in others {
        let (gain, error) = paired(&ndcg(auto), &ndcg(other));
        let quality = mean(&ndcg(other)).unwrap();
        eprintln!("{}: {quality:.3}, auto {gain:+.3} ± {error:.3}", other.name);
        assert!(
            gain > -error,
            "{}: {quality:.3}, auto {gain:+.3} ± {error:.3}, {:?}",
            other.name,
            auto.choices
        );
    }
    assert!(auto.choices[0].contains("dim 128") || auto.choices[0].contains("dim 256"), "{:?}", auto.choices);
}
