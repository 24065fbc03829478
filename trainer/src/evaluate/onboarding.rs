//! Onboarding: what it is worth to ask a new user about these items rather than about others.
//!
//! A policy is a list of items that every test user is shown. The user's own ratings answer; an item that the user has
//! not rated is skipped. The learner adapts to the answers (to none: the prior), ranks, and is judged on the query.
//!
//! The halves are P1's: a rating of the one half answers, the likes of the other are the query. Shown items of the
//! query half are skipped, whether liked or not. So every rating is an answer with the same probability, one half,
//! whatever the item: no policy gains or loses by what is kept for the query, and users answer on half as many items
//! as they could.
//!
//! Two rankings are judged. The first is what an app shows: the catalogue without the items that were answered on;
//! those that were skipped stay. There a policy is also paid for clearing the list of what the user knows, which
//! showing the most popular items does best. The second, *alike*, has the same candidates for every policy, the
//! catalogue without the whole answering half: what remains is what the answers tell.

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tinderbox::{Filter, ModelFile, Ranked, Session};

use super::method::Variant;
use super::trial::{Trial, as_engine, ascending};
use super::{Plan, Stage};
use crate::data::{Dataset, HeldOut, Interaction, TaskSet, folds};
use crate::export::ExportError;
use crate::learner::Learned;
use crate::metrics::{LIST, Metrics};
use crate::onboarding;

/// How many items a user is shown.
pub const SHOWN: [usize; 3] = [5, 10, 20];

/// The policy that reports compare the others to.
pub const POPULAR: &str = "popular";

/// The policies, by the names of a report.
pub const POLICIES: [&str; 5] = ["nothing", POPULAR, "random", "log-pop x entropy", "onboarding"];

/// How a learner did under one policy.
#[derive(Clone, Debug)]
pub struct Asked {
    /// One of [`POLICIES`].
    pub policy: &'static str,
    /// Of each test user at each number of items [shown](SHOWN); users in the same order for every policy.
    pub users: Vec<[Answered; SHOWN.len()]>,
}

/// What came of showing items to one user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered {
    /// How many of them the user answered on.
    pub answers: u32,
    /// Judges the ranking of the catalogue without the items that were answered on.
    pub metrics: Metrics,
    /// Judges the ranking of the catalogue without the answering half, the same candidates for every policy.
    pub alike: Metrics,
}

/// Judges the file of one learner under every policy, on the folds of `plan`; methods and protocol of `plan` do not
/// matter.
///
/// # Errors
/// [`ExportError`] if the learner's file cannot be written or does not rank as the trainer does.
pub fn ask(
    dataset: &Dataset,
    plan: &Plan,
    learner: &Variant,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Vec<Asked>, ExportError> {
    let folds = folds(dataset, plan.seed);
    let mut outcomes = POLICIES.map(|policy| Asked { policy, users: Vec::new() });
    for fold in 0..plan.folds {
        let trial = Trial::few_shot(dataset, plan, &folds.fold(fold));
        let fit = trial.fit(learner, plan, None, &mut |now| {
            progress(Stage { fold, method: learner.name(), training: Some(now) })
        })?;
        let lists = lists(&fit.learned, &trial.training.set, plan, fold);
        for (outcome, list) in outcomes.iter_mut().zip(lists) {
            outcome.users.extend(answer(&fit.file, &list, &trial.test.users)?);
        }
    }
    Ok(outcomes.into())
}

/// The items to show by each of [`POLICIES`].
fn lists(learned: &Learned, set: &TaskSet, plan: &Plan, fold: usize) -> [Vec<u32>; POLICIES.len()] {
    let rows = set.catalogue.len();
    let shown = rows.min(onboarding::ITEMS);
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(fold as u64);
    [
        Vec::new(),
        (0..shown as u32).collect(),
        index::sample(&mut rng, rows, shown).iter().map(|row| row as u32).collect(),
        by_entropy(set),
        onboarding::choose(learned, set, plan.config.seed),
    ]
}

/// What the users say of the first of `list`, and what the learner makes of it.
fn answer(
    file: &ModelFile,
    list: &[u32],
    users: &[HeldOut],
) -> Result<Vec<[Answered; SHOWN.len()]>, ExportError> {
    let model = file.model()?;
    let len = Session::scratch_len(&model, onboarding::ITEMS);
    let answer_of_user = |scratch: &mut Vec<f32>, user: &HeldOut| {
        let mut session = Session::new(model, scratch)?;
        session.set_features(&user.features)?;
        let known = ascending(&user.pool);
        let mut answered = [Answered::default(); SHOWN.len()];
        for (answered, shown) in answered.iter_mut().zip(SHOWN) {
            let said = |item: &u32| user.pool.iter().find(|interaction| interaction.item == *item);
            let support: Vec<_> = list.iter().take(shown).filter_map(said).map(as_engine).collect();
            session.adapt(&support)?;
            *answered = Answered {
                answers: support.len() as u32,
                metrics: judge(&session, &[], &user.query),
                alike: judge(&session, &known, &user.query),
            };
        }
        Ok(answered)
    };
    users.par_iter().map_init(|| vec![0.0; len], answer_of_user).collect()
}

/// Judges the ranking without the support and `known`, which is ascending.
fn judge(session: &Session<'_>, known: &[u32], query: &[u32]) -> Metrics {
    let mut out = [Ranked::default(); LIST];
    // The filter's list is ascending and names known items only: nothing could be refused.
    let ranking = session.rank(&Filter { deny: known, ..Filter::default() }, &mut out).unwrap_or_default();
    Metrics::of(&ranking.iter().map(|ranked| ranked.item).collect::<Vec<_>>(), query)
}

/// The items of the largest entropy of ratings times logarithm of their number (Rashid et al. 2002, `pop*ent`).
fn by_entropy(set: &TaskSet) -> Vec<u32> {
    let mut counts = vec![vec![0_u32; set.levels.values.len()]; set.catalogue.len()];
    for &Interaction { item, level, .. } in set.tasks.iter().flat_map(|task| &task.interactions) {
        counts[item as usize][usize::from(level)] += 1;
    }
    let value = |counts: &Vec<u32>| {
        let total = f64::from(counts.iter().sum::<u32>());
        let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total);
        -total.ln() * shares.map(|share| share * share.ln()).sum::<f64>()
    };
    let values: Vec<f64> = counts.iter().map(value).collect();
    let mut rows: Vec<u32> = (0..set.catalogue.len() as u32).collect();
    rows.sort_by(|&a, &b| values[b as usize].total_cmp(&values[a as usize]));
    rows.truncate(onboarding::ITEMS);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Method, Protocol};
    use crate::learner::Kind;
    use crate::train::Config;
    use crate::train::tests::{config, world};

    #[test]
    fn entropy_prefers_items_that_divide_many() {
        let mut set = world();
        let levels_of =
            |item: u32| set.tasks.iter().flat_map(|t| &t.interactions).filter(move |i| i.item == item);
        let total = |item: u32| levels_of(item).count() as f64;
        let value = |item: u32| {
            let liked = levels_of(item).filter(|i| i.level == 1).count() as f64 / total(item);
            let entropy =
                -[liked, 1.0 - liked].iter().map(|p| if *p > 0.0 { p * p.ln() } else { 0.0 }).sum::<f64>();
            total(item).ln() * entropy
        };
        let list = by_entropy(&set);
        assert_eq!(list.len(), onboarding::ITEMS);
        assert!(list.windows(2).all(|pair| value(pair[0]) >= value(pair[1]) - 1e-9));
        set.levels = crate::data::Levels::implicit();
        set.tasks.iter_mut().flat_map(|task| &mut task.interactions).for_each(|i| i.level = 0);
        assert_eq!(by_entropy(&set)[..3], [0, 1, 2]);
    }

    #[test]
    fn only_what_is_shown_and_rated_in_the_answering_half_is_adapted_to() {
        let dataset =
            crate::data::World { users: 60, items: 80, interactions: 20, ..Default::default() }.dataset();
        let plan = Plan {
            protocol: Protocol::P1,
            folds: 2,
            methods: Vec::new(),
            config: Config { epochs: 1, ..config(Kind::Maml) },
            dim: None,
            seed: 3,
        };
        let Ok(Method::Learner(learner)) = "maml".parse() else { panic!("a learner") };
        let asked = ask(&dataset.unwrap(), &plan, &learner, &mut |_| {}).unwrap();
        let [nothing, popular, ..] = asked.as_slice() else { panic!("policies") };
        assert!(nothing.users.iter().flatten().all(|answered| answered.answers == 0));
        for (of_prior, of_popular) in nothing.users.iter().zip(&popular.users) {
            assert_eq!(of_prior[0].alike, of_prior[2].alike);
            let answers = of_popular.map(|answered| answered.answers);
            assert!(answers.is_sorted() && answers[0] <= 5);
            if answers[0] == 0 {
                assert_eq!(of_popular[0].metrics, of_prior[0].metrics);
            }
        }
        assert!(popular.users.iter().any(|answered| answered[0].metrics != answered[0].alike));
    }
}
