//! The training loop: outer steps over episodes, validated now and then, stopped when that no longer
//! helps.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::{HeldOut, TaskSet};
use crate::episode::{self, Order, Rank};
use crate::learner::{
    Block, Check, Kind, Learned, Objective, Parameters, Sampler, Shape, Start, Taught, Teacher, start,
    start_rated,
};
use crate::optimizer::{Adam, follow};

/// The largest catalogue whose softmax is computed in full.
const FULL_SOFTMAX: usize = 10_000;

/// Rows that stand for a larger one in an outer step, beside those of its episodes.
const SAMPLE: usize = 4096;

/// The stream of random numbers that samples are drawn from; those below belong to epochs.
const SAMPLES: u64 = u64::MAX;

/// A part of the recipe that training can do without, to see what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// One step size for each component (Meta-SGD, Li et al. 2017); without, one for each inner step.
    StepSizes,
    /// The learned preconditioner; without, the identity.
    Preconditioner,
    /// Embeddings of item and user features.
    Features,
    /// The axis that the rows start with their popularity on.
    Popularity,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::StepSizes, Self::Preconditioner, Self::Features, Self::Popularity];

    /// The name on the command line, behind `no-`.
    pub fn name(self) -> &'static str {
        match self {
            Self::StepSizes => "step-sizes",
            Self::Preconditioner => "preconditioner",
            Self::Features => "features",
            Self::Popularity => "popularity",
        }
    }

    /// Takes the part out of the start values.
    fn remove(self, parameters: &mut Parameters<f32>) {
        let dim = parameters.shape.dim;
        match self {
            Self::Popularity => {
                parameters[Block::Items].iter_mut().skip(dim - 1).step_by(dim).for_each(|x| *x = 0.0)
            }
            Self::StepSizes | Self::Preconditioner | Self::Features => {} // start at what they are without
        }
    }

    /// Keeps training from putting it back.
    fn freeze(self, gradient: &mut Parameters<f32>) {
        let dim = gradient.shape.dim;
        match self {
            Self::Preconditioner => gradient[Block::Preconditioner].fill(0.0),
            Self::Features => {
                gradient[Block::ItemFeatures].fill(0.0);
                gradient[Block::UserFeatures].fill(0.0);
            }
            Self::StepSizes => {
                for of_step in gradient[Block::StepSizes].chunks_exact_mut(dim) {
                    let mean = of_step.iter().sum::<f32>() / dim as f32;
                    of_step.fill(mean);
                }
            }
            Self::Popularity => {} // an axis like any other
        }
    }
}

/// What the teacher regresses each item on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Regression {
    /// All others ([`Ridge`](crate::baseline::Ridge)) or, where these are too many, its nearest.
    #[default]
    Full,
    /// Its nearest ([`NearRidge`](crate::baseline::NearRidge)).
    Near,
}

/// Everything that training can be told. [`Config::default`] is what worked on three sets of movie ratings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The adaptation rule.
    pub learner: Kind,
    /// What it learns to rank.
    pub rank: Rank,
    /// Length of an embedding; at least 3, and a multiple of 16 for export.
    pub dim: usize,
    /// Inner steps (maml).
    pub steps: usize,
    /// Lets the catalogue's Gram matrix stand for all other items in the inner steps (maml): for comparison. It takes a
    /// third of the time of an adaptation, and changed NDCG@10 by less than .001 on each of two sets of ratings.
    pub gram: bool,
    /// Drops the second-order terms of the gradient (maml): for comparison only.
    pub first_order: bool,
    /// Adam's.
    pub learning_rate: f32,
    /// Episodes an outer step; at least 1.
    pub batch: usize,
    /// Most epochs. An epoch visits every task once.
    pub epochs: u32,
    /// Epochs between validations; at least 1.
    pub check_every: u32,
    /// Validations without gain after which training stops.
    pub patience: usize,
    /// Weight of the teacher's cross-entropy beside the query's; there is no teacher for rated items.
    pub teacher_weight: f64,
    /// Times the teacher's logits: how much more of its shares goes to what it ranks first.
    pub teacher_sharpness: f32,
    /// Which teacher it is.
    pub regression: Regression,
    /// Penalty of the near teacher; without one, validation chooses it.
    pub penalty: Option<f32>,
    /// Mixtures of two users beside each task of an epoch, judged by the teacher alone; none without one. On long tails
    /// with few users they keep many dimensions from overfitting.
    pub mixed: usize,
    /// How tasks are split into episodes.
    pub order: Order,
    /// How the rows start that rank a catalogue.
    pub start: Start,
    /// Parts to do without: for comparison only.
    pub without: Vec<Part>,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            learner: Kind::Maml,
            rank: Rank::Catalogue,
            dim: 32,
            steps: 8,
            gram: false,
            first_order: false,
            learning_rate: 3e-3,
            batch: 64,
            epochs: 120,
            check_every: 3,
            patience: 8,
            teacher_weight: 1.0,
            teacher_sharpness: 1.0,
            regression: Regression::default(),
            penalty: None,
            mixed: 0,
            order: Order::default(),
            start: Start::default(),
            without: Vec::new(),
            seed: 0,
        }
    }
}

impl Config {
    /// The default for what is to be ranked.
    pub fn for_rank(rank: Rank) -> Self {
        match rank {
            Rank::Catalogue => Self::default(),
            // The start values have eleven axes. Ten times the support takes more steps to fit, and leaves less to
            // learn.
            Rank::Rated => Self { rank, dim: 16, steps: 16, learning_rate: 1e-3, ..Self::default() },
        }
    }
}

/// The length of an embedding from text: one that a model file may have.
pub fn parse_dim(text: &str) -> Result<usize, String> {
    let most = tinderbox_format::MAX_DIM as usize;
    let is_allowed = |dim: &usize| (16..=most).contains(dim) && dim.is_multiple_of(16);
    let dim = text.parse().ok().filter(is_allowed);
    dim.ok_or_else(|| {
        format!("{text:?} is no length of an embedding: give a multiple of 16 from 16 to {most}")
    })
}

/// A number of inner steps from text: one that a model file may have.
pub fn parse_steps(text: &str) -> Result<usize, String> {
    let most = tinderbox_format::MAX_STEPS as usize;
    let steps = text.parse().ok().filter(|steps| *steps <= most);
    steps.ok_or_else(|| format!("{text:?} is no number of inner steps: give one from 0 to {most}"))
}

/// How training stands after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u32,
    /// Epochs at most.
    pub epochs: u32,
    /// Mean loss of the epoch.
    pub loss: f64,
    /// Mean NDCG@10 (of rated items NDCG@5) on the validation users, when it was measured.
    pub validation: Option<f64>,
}

/// Meta-trains on `set` and keeps the meta-parameters that are best on `validation`: never worse there
/// than the start values. Without validation users, training runs to the last epoch.
///
/// The same bits for the same arguments, whatever the number of threads. An epoch costs
/// O(episodes x items x dim), times the support size for matching. Above 10,000 items an outer step looks at a sample
/// of them, and costs O(items x dim) for the optimiser besides. Panics if `dim` is below 3 (4 to rank rated
/// items), or `batch` or `check_every` 0.
pub fn train(
    set: &TaskSet,
    validation: &[HeldOut],
    teacher: Option<&dyn Teacher>,
    config: &Config,
    progress: &mut dyn FnMut(Progress),
) -> Learned {
    let shape = shape(set, config);
    let mut parameters = match config.rank {
        Rank::Catalogue => start(set, shape, teacher, &config.start, config.seed),
        Rank::Rated => start_rated(set, shape, config.seed),
    };
    config.without.iter().for_each(|part| part.remove(&mut parameters));
    let (weight, sharpness) = (config.teacher_weight, config.teacher_sharpness);
    let taught = teacher.map(|by| Taught { by, weight, sharpness });
    let objective = Objective::new(&set.catalogue.features, taught, config.first_order);
    let mut adam = Adam::new(&parameters, config.learning_rate);
    let mut average = parameters.clone();
    let mut best = Best::new(&objective, &average, validation);
    let sampler = (set.catalogue.len() > FULL_SOFTMAX).then(|| Sampler::new(&set.catalogue.likes, SAMPLE));
    let mixed = if teacher.is_some() { config.mixed } else { 0 };
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    rng.set_stream(SAMPLES);
    for epoch in 1..=config.epochs {
        let mut loss = 0.0;
        let episodes = episode::epoch(set, config.rank, config.order, mixed, config.seed, epoch);
        for batch in episodes.chunks(config.batch) {
            let candidates = sampler.as_ref().map(|sampler| sampler.draw(batch, &mut rng));
            let (batch_loss, mut gradient) = match &candidates {
                Some(candidates) => objective.sampled_gradient(candidates, &parameters, batch),
                None => objective.gradient(&parameters, batch),
            };
            config.without.iter().for_each(|part| part.freeze(&mut gradient));
            let rows = candidates.as_ref().map(|candidates| candidates.rows.as_slice());
            adam.step(&mut parameters, &gradient, rows);
            follow(&mut average, &parameters);
            loss += batch_loss * batch.len() as f64 / episodes.len() as f64;
        }
        let due = epoch % config.check_every == 0 || epoch == config.epochs;
        let checked = due.then(|| best.check(&objective, &average, validation, epoch, loss)).flatten();
        progress(Progress { epoch, epochs: config.epochs, loss, validation: checked });
        if best.checks_without_gain >= config.patience {
            break;
        }
    }
    let mut learned = Learned { history: best.history, ..best.learned };
    learned.fit_new_items(set);
    learned
}

fn shape(set: &TaskSet, config: &Config) -> Shape {
    Shape {
        kind: config.learner,
        dim: config.dim,
        steps: config.steps,
        gram: config.gram,
        items: set.catalogue.len(),
        levels: set.levels.values.len(),
        item_features: set.catalogue.features.names.len(),
        user_features: set.user_features,
    }
}

/// The best so far on validation.
struct Best {
    learned: Learned,
    validation: f64,
    checks_without_gain: usize,
    history: Vec<Check>,
}

impl Best {
    fn new(objective: &Objective, parameters: &Parameters<f32>, users: &[HeldOut]) -> Self {
        let learned = objective.learned(parameters);
        let validation = mean(&learned.validation(users)).unwrap_or(f64::NEG_INFINITY);
        let first = Check { epoch: 0, loss: None, validation };
        let history = if users.is_empty() { Vec::new() } else { vec![first] };
        Self { learned, validation, checks_without_gain: 0, history }
    }

    /// Keeps `parameters` if they are better, or if there is nothing to judge by; their validation.
    fn check(
        &mut self,
        objective: &Objective,
        parameters: &Parameters<f32>,
        users: &[HeldOut],
        epoch: u32,
        loss: f64,
    ) -> Option<f64> {
        let learned = objective.learned(parameters);
        let Some(validation) = mean(&learned.validation(users)) else {
            self.learned = learned;
            return None;
        };
        self.history.push(Check { epoch, loss: Some(loss), validation });
        if validation > self.validation {
            (self.learned, self.validation, self.checks_without_gain) = (learned, validation, 0);
        } else {
            self.checks_without_gain += 1;
        }
        Some(validation)
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::baseline::{Ridge, RidgeConfig};
    use crate::data::{Dataset, Features, Interaction, Levels};

    const USERS: u32 = 48;
    const ITEMS: u32 = 30;

    /// Users of two tastes, the even and the odd items, of which each has seen about half.
    pub(crate) fn world() -> TaskSet {
        let seen = |user: u32, item: u32| (user * 7 + item * 13 + user * item * 5) % 31 < 24 - item / 2;
        let level = |user: u32, item: u32| if (user + item).is_multiple_of(2) { 1 } else { 0 };
        let of_user = |user: u32| {
            let items = (0..ITEMS).filter(|&item| seen(user, item));
            items.map(|item| Interaction { item, level: level(user, item), time: 0 }).collect()
        };
        let dataset = Dataset {
            users: (0..USERS).map(|user| format!("{user:02}")).collect(),
            items: (0..ITEMS).map(|item| format!("{item:02}")).collect(),
            titles: vec![None; ITEMS as usize],
            interactions: (0..USERS).map(of_user).collect(),
            levels: Levels { values: vec![2.0, 5.0], like_at: Some(4.0) },
            item_features: Features {
                names: vec!["size:large".into(), "size:small".into()],
                of: (0..ITEMS)
                    .map(|item| if item % 5 == 0 { Vec::new() } else { vec![item / 3 % 2] })
                    .collect(),
            },
            user_features: Features {
                names: vec!["age:old".into(), "age:young".into()],
                of: (0..USERS).map(|user| vec![user / 2 % 2]).collect(),
            },
        };
        TaskSet::new(&dataset, &(0..USERS).collect::<Vec<u32>>())
    }

    /// The training users themselves, each with half of the feedback as the pool.
    pub(crate) fn held_out(set: &TaskSet) -> Vec<HeldOut> {
        let split = |task: &crate::data::Task| {
            let (pool, rest) = task.interactions.split_at(task.interactions.len() / 2);
            let liked = rest.iter().filter(|i| set.levels.liked(i.level));
            let mut query: Vec<u32> = liked.map(|i| i.item).collect();
            query.sort_unstable();
            HeldOut { features: task.features.clone(), pool: pool.to_vec(), query, gains: None }
        };
        set.tasks.iter().map(split).filter(|user| !user.query.is_empty()).collect()
    }

    pub(crate) fn config(learner: Kind) -> Config {
        Config { learner, dim: 16, steps: 3, batch: 16, epochs: 12, seed: 5, ..Config::default() }
    }

    #[test]
    fn every_learner_gets_better() {
        let set = world();
        for kind in Kind::ALL {
            let mut losses = Vec::new();
            let config = Config { epochs: 40, ..config(kind) };
            let learned = train(&set, &held_out(&set), None, &config, &mut |p| losses.push(p.loss));
            assert!(losses[losses.len() - 1] < losses[0] - 0.02, "{kind:?} {losses:?}");
            let best = learned.history.iter().map(|check| check.validation).fold(0.0, f64::max);
            assert!(best > learned.history[0].validation, "{kind:?} {:?}", learned.history);
            let kept = mean(&learned.validation(&held_out(&set)));
            assert_eq!(kept, Some(best), "{kind:?}");
        }
    }

    #[test]
    fn one_thread_and_two_learn_the_same_bits() {
        let set = world();
        let learn = |kind, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&set, &held_out(&set), None, &config(kind), &mut |_| {}))
        };
        for kind in Kind::ALL {
            assert_eq!(learn(kind, 1), learn(kind, 2), "{kind:?}");
        }
    }

    #[test]
    fn without_a_teacher_to_judge_them_there_are_no_mixtures() {
        let set = world();
        let learn = |mixed, teacher: Option<&dyn Teacher>| {
            train(&set, &[], teacher, &Config { mixed, ..config(Kind::Maml) }, &mut |_| {})
        };
        let teacher = Ridge::fit(&set, RidgeConfig::teacher(&set)).unwrap();
        assert_eq!(learn(2, None), learn(0, None));
        assert_ne!(learn(2, Some(&teacher)), learn(0, Some(&teacher)));
    }

    #[test]
    fn training_stops_when_validation_no_longer_gains() {
        let config = Config { learning_rate: 0.0, check_every: 2, patience: 3, ..config(Kind::Maml) };
        let set = world();
        let mut epochs = 0;
        let learned = train(&set, &held_out(&set), None, &config, &mut |p| epochs = p.epoch);
        assert_eq!((epochs, learned.history.len()), (6, 4));
    }

    #[test]
    fn what_training_does_without_stays_out() {
        let set = world();
        let learn = |without: &[Part]| {
            let config = Config { without: without.to_vec(), ..config(Kind::Maml) };
            train(&set, &[], None, &config, &mut |_| {})
        };
        let whole = learn(&[]);
        let identity = learn(&[Part::Preconditioner]).preconditioner.unwrap();
        assert!(identity.iter().enumerate().all(|(at, &x)| x == f32::from(u8::from(at % 17 == 0))));
        assert!(learn(&[Part::Features]).user_features.iter().all(|&x| x == 0.0));
        let scalar = learn(&[Part::StepSizes]).step_sizes;
        assert!(scalar.chunks(16).all(|step| step.iter().all(|&x| x == step[0])));
        assert!(whole.step_sizes.chunks(16).all(|step| step.iter().any(|&x| x != step[0])));
        assert_ne!(learn(&[Part::Popularity]).rows, whole.rows);
    }

    #[test]
    fn a_gram_matrix_is_learned_where_it_is_asked_for() {
        let set = world();
        let learn = |gram| train(&set, &[], None, &Config { gram, ..config(Kind::Maml) }, &mut |_| {});
        let (with, without) = (learn(true), learn(false));
        assert!(with.gram.is_some_and(|gram| gram.iter().any(|&x| x != 0.0)) && without.gram.is_none());
        assert_ne!(with.prior, without.prior);
    }

    #[test]
    fn without_validation_users_training_runs_to_the_last_epoch() {
        let config = Config { patience: 1, ..config(Kind::Prototypical) };
        let mut epochs = 0;
        let learned = train(&world(), &[], None, &config, &mut |p| epochs = p.epoch);
        assert_eq!(epochs, config.epochs);
        assert!(learned.history.is_empty());
    }
}
