//! The report of protocol P2: one list a user, cut off at several places.

use serde_json::{Value, json};

use super::{Estimate, grid, share, signed, size};
use crate::evaluate::Plan;
use crate::evaluate::labelled::Outcome;
use crate::fit::{mean, paired, standard_error};
use crate::metrics::CUTOFFS;

/// A comparison of the outcomes of one plan under P2.
pub struct Report<'a> {
    plan: &'a Plan,
    outcomes: &'a [Outcome],
}

impl<'a> Report<'a> {
    /// Reports the `outcomes` of `plan`.
    pub fn new(plan: &'a Plan, outcomes: &'a [Outcome]) -> Self {
        Self { plan, outcomes }
    }

    /// NDCG at each cutoff, and the paired differences to the best baseline there. Fits 100 columns.
    pub fn table(&self) -> String {
        let mut text = format!(
            "ndcg of ten rated items, protocol p2, {} of 10 folds, {} test users, ± one standard error\n",
            self.plan.folds,
            self.users(),
        );
        let mut table = grid(CUTOFFS.iter().map(|cutoff| format!("ndcg@{cutoff}")), &["size"]);
        for outcome in self.outcomes {
            let cell = |at| {
                let Estimate { mean, error } = estimate(outcome, at);
                format!("{} ±{}", share(mean), share(error))
            };
            let cells = (0..CUTOFFS.len()).map(cell);
            let name = std::iter::once(outcome.name.clone());
            table.add_row(name.chain(cells).chain([size(outcome.bytes)]).collect::<Vec<_>>());
        }
        text += &format!("{table}\n");
        if let Some(best) = self.best_baselines() {
            text += "\nminus the best baseline at each cutoff, paired over users, ± one standard error\n";
            let columns =
                CUTOFFS.iter().zip(&best).map(|(cutoff, best)| format!("ndcg@{cutoff}\n{}", best.name));
            let mut table = grid(columns, &[]);
            for outcome in self.outcomes {
                let cell = |(at, best): (usize, &&Outcome)| {
                    let Estimate { mean, error } = difference(outcome, best, at);
                    format!("{} ±{}", signed(mean), share(error))
                };
                let cells = best.iter().enumerate().map(cell);
                table.add_row(std::iter::once(outcome.name.clone()).chain(cells).collect::<Vec<_>>());
            }
            text += &format!("{table}\n");
        }
        text
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let methods: Vec<Value> = self.outcomes.iter().map(|outcome| self.method(outcome)).collect();
        json!({
            "protocol": "p2",
            "folds": self.plan.folds,
            "seed": self.plan.seed,
            "configuration": self.plan.config,
            "test users": self.users(),
            "methods": methods,
        })
    }

    fn method(&self, outcome: &Outcome) -> Value {
        let best = self.best_baselines();
        let at_each = (0..CUTOFFS.len()).map(|at| {
            let Estimate { mean, error } = estimate(outcome, at);
            let mut value = json!({ "cutoff": CUTOFFS[at], "mean": mean, "standard error": error });
            if let Some(best) = &best {
                let Estimate { mean, error } = difference(outcome, best[at], at);
                value["best baseline"] = json!(best[at].name);
                value["difference"] = json!({ "mean": mean, "standard error": error });
            }
            value
        });
        json!({
            "name": outcome.name,
            "baseline": outcome.is_baseline,
            "bytes": outcome.bytes,
            "choices": outcome.choices,
            "ndcg": at_each.collect::<Vec<_>>(),
        })
    }

    fn users(&self) -> usize {
        self.outcomes.first().map_or(0, |outcome| outcome.users.len())
    }

    /// The best baseline at each cutoff; `None` if there is none.
    fn best_baselines(&self) -> Option<Vec<&'a Outcome>> {
        let best = |at: usize| {
            let baselines = self.outcomes.iter().filter(|outcome| outcome.is_baseline);
            baselines.max_by(|a, b| estimate(a, at).mean.total_cmp(&estimate(b, at).mean))
        };
        (0..CUTOFFS.len()).map(best).collect()
    }
}

fn values(outcome: &Outcome, at: usize) -> Vec<f64> {
    outcome.users.iter().map(|user| user.ndcg[at]).collect()
}

fn estimate(outcome: &Outcome, at: usize) -> Estimate {
    let values = values(outcome, at);
    Estimate { mean: mean(&values).unwrap_or(0.0), error: standard_error(&values) }
}

fn difference(a: &Outcome, b: &Outcome, at: usize) -> Estimate {
    let (mean, error) = paired(&values(a, at), &values(b, at));
    Estimate { mean, error }
}
