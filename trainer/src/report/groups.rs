//! Results by group: of users with little and with much feedback, and of what they like by its popularity.

use serde_json::{Value, json};

use super::{Estimate, METRICS, Metric, Report, grid, share};
use crate::evaluate::Outcome;
use crate::exposure::PARTS;
use crate::fit::{mean, standard_error};
use crate::metrics::{Metrics, SHOTS};

/// How many groups of users there are.
const GROUPS: usize = 3;

impl Report<'_> {
    /// A table in `metric` (a name in [`METRICS`], by default the first), mean over k: thirds of the test users by
    /// their number of interactions; and Recall@20 of what they like, in three parts of the catalogue by popularity
    /// that hold a third of all likes each. Fits 100 columns.
    pub fn groups(&self, metric: &str) -> String {
        let Some(first) = self.outcomes.first() else { return String::new() };
        let metric = *METRICS.iter().find(|(name, _)| *name == metric).unwrap_or(&METRICS[0]);
        let columns = columns(first, metric.0).into_iter().map(|[what, group]| format!("{what}\n{group}"));
        let mut table = grid(columns, &[]);
        for outcome in self.outcomes {
            let name = std::iter::once(outcome.name.clone());
            table.add_row(name.chain(row(outcome, metric.1).into_iter().map(share)));
        }
        format!(
            "thirds of the test users by number of interactions; what users like, by popularity (parts of the\n\
             catalogue with a third of all likes each); mean over k\n{table}\n"
        )
    }
}

/// What the columns of a table hold, and of which group: `metric` of users, Recall@20 of items. `outcome` is any.
pub(super) fn columns(outcome: &Outcome, metric: &str) -> Vec<[String; 2]> {
    let by_interactions = thirds(outcome).map(|users| {
        let (least, most) = range(outcome, &users);
        [metric.to_owned(), format!("{least}-{most}")]
    });
    let by_popularity = PARTS.map(|part| ["recall@20".to_owned(), part.to_owned()]);
    by_interactions.into_iter().chain(by_popularity).collect()
}

/// A row under these [`columns`], mean over k.
pub(super) fn row(outcome: &Outcome, metric: Metric) -> Vec<f64> {
    let of_users = thirds(outcome).map(|users| of_users_over_k(outcome, &users, metric));
    let of_parts = (0..PARTS.len()).map(|part| {
        let at_each = (0..SHOTS.len()).map(|at| of_part(outcome, part, at).mean);
        at_each.sum::<f64>() / SHOTS.len() as f64
    });
    of_users.into_iter().chain(of_parts).collect()
}

/// The groups of one outcome, for programs.
pub(super) fn of(outcome: &Outcome) -> Value {
    let by_interactions: Vec<Value> = thirds(outcome)
        .into_iter()
        .map(|users| {
            let (least, most) = range(outcome, &users);
            let mut group = json!({ "from": least, "to": most, "users": users.len() });
            for (name, metric) in METRICS {
                group[name] = at_each_k(|at| of_users(outcome, &users, metric, at));
            }
            group
        })
        .collect();
    let by_popularity: Vec<Value> = PARTS
        .into_iter()
        .enumerate()
        .map(|(part, name)| {
            let users = outcome.found.iter().filter(|found| found[0].0[part].is_some()).count();
            json!({ "part": name, "users": users, "recall@20": at_each_k(|at| of_part(outcome, part, at)) })
        })
        .collect();
    json!({ "interactions": by_interactions, "popularity": by_popularity })
}

fn at_each_k(estimate: impl Fn(usize) -> Estimate) -> Value {
    let at = |at| {
        let Estimate { mean, error } = estimate(at);
        json!({ "k": SHOTS[at], "mean": mean, "standard error": error })
    };
    (0..SHOTS.len()).map(at).collect()
}

/// Test users in three groups of the same size, give or take one, by their number of interactions.
fn thirds(outcome: &Outcome) -> [Vec<usize>; GROUPS] {
    let mut users: Vec<usize> = (0..outcome.interactions.len()).collect();
    users.sort_by_key(|&user| outcome.interactions[user]);
    let end = |group: usize| group * users.len() / GROUPS;
    std::array::from_fn(|group| users[end(group)..end(group + 1)].to_vec())
}

/// The least and the most interactions of `users`, who are in that order.
fn range(outcome: &Outcome, users: &[usize]) -> (u32, u32) {
    let of = |user: Option<&usize>| user.map_or(0, |&user| outcome.interactions[user]);
    (of(users.first()), of(users.last()))
}

fn of_users(outcome: &Outcome, users: &[usize], metric: Metric, at: usize) -> Estimate {
    let value = |of_user: &[Metrics; SHOTS.len()]| metric(&of_user[at]);
    estimate(&users.iter().map(|&user| value(&outcome.users[user])).collect::<Vec<_>>())
}

fn of_users_over_k(outcome: &Outcome, users: &[usize], metric: Metric) -> f64 {
    (0..SHOTS.len()).map(|at| of_users(outcome, users, metric, at).mean).sum::<f64>() / SHOTS.len() as f64
}

/// Over the users who like anything in that part.
fn of_part(outcome: &Outcome, part: usize, at: usize) -> Estimate {
    let recalls = outcome.found.iter().filter_map(|of_user| of_user[at].0[part]);
    estimate(&recalls.map(f64::from).collect::<Vec<_>>())
}

fn estimate(values: &[f64]) -> Estimate {
    Estimate { mean: mean(values).unwrap_or(0.0), error: standard_error(values) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Found;

    fn outcome(interactions: &[u32]) -> Outcome {
        let metrics = |&interactions: &u32| {
            [Metrics { ndcg_10: f64::from(interactions) / 100.0, ..Metrics::default() }; SHOTS.len()]
        };
        let found =
            |&interactions: &u32| [Found([Some(0.5), (interactions > 30).then_some(1.0), None]); SHOTS.len()];
        Outcome {
            name: "method".into(),
            is_baseline: false,
            choices: Vec::new(),
            bytes: 0,
            users: interactions.iter().map(metrics).collect(),
            interactions: interactions.to_vec(),
            found: interactions.iter().map(found).collect(),
            exposure: Default::default(),
        }
    }

    #[test]
    fn users_are_in_thirds_by_their_interactions() {
        let groups = of(&outcome(&[50, 20, 30, 40, 90, 20, 60]));
        let sizes: Vec<_> = (0..3)
            .map(|at| &groups["interactions"][at])
            .map(|g| (&g["from"], &g["to"], &g["users"]))
            .collect();
        assert_eq!(
            sizes,
            [
                (&json!(20), &json!(20), &json!(2)),
                (&json!(30), &json!(40), &json!(2)),
                (&json!(50), &json!(90), &json!(3))
            ]
        );
        let mean = groups["interactions"][1]["ndcg@10"][0]["mean"].as_f64();
        assert!((mean.unwrap_or(0.0) - 0.35).abs() < 1e-12);
    }

    #[test]
    fn a_part_counts_for_those_who_like_something_in_it() {
        let groups = of(&outcome(&[20, 30, 40, 50]));
        let parts = &groups["popularity"];
        assert_eq!((&parts[0]["part"], &parts[0]["users"]), (&json!("head"), &json!(4)));
        assert_eq!((&parts[1]["users"], &parts[1]["recall@20"][4]["mean"]), (&json!(2), &json!(1.0)));
        assert_eq!((&parts[2]["users"], &parts[2]["recall@20"][0]["mean"]), (&json!(0), &json!(0.0)));
    }
}
