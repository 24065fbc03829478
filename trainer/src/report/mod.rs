//! Evaluations as tables for a terminal, as JSON, and as a page with plots.

mod groups;
pub mod labelled;
pub mod onboarding;
mod page;
pub mod search;

pub use page::Subject;
pub use tinderbox_page::plot::PlotError;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::evaluate::{Outcome, Plan};
use crate::exposure::Exposure;
use crate::fit::{mean, paired, standard_error};
use crate::metrics::{Metrics, SHOTS};

/// One number of a list's metrics.
pub type Metric = fn(&Metrics) -> f64;

/// The metrics by the names under which reports show them.
pub const METRICS: [(&str, Metric); 4] = [
    ("ndcg@10", |metrics| metrics.ndcg_10),
    ("recall@20", |metrics| metrics.recall_20),
    ("hr@10", |metrics| metrics.hit_10),
    ("mrr@10", |metrics| metrics.mrr_10),
];

/// One number of an exposure.
pub type Measure = fn(&Exposure) -> f64;

/// The measures of all lists together, by the names under which reports show them.
pub const EXPOSURE: [(&str, Measure); 3] = [
    ("coverage@10", |exposure| exposure.coverage),
    ("gini@10", |exposure| exposure.gini),
    ("popularity@10", |exposure| exposure.popularity),
];

/// A comparison of the outcomes of one plan.
pub struct Report<'a> {
    plan: &'a Plan,
    outcomes: &'a [Outcome],
}

/// Mean and standard error, of a method or of a difference.
#[derive(Clone, Copy)]
struct Estimate {
    mean: f64,
    error: f64,
}

impl Estimate {
    /// Whether it is more than two standard errors from 0.
    fn is_clear(self) -> bool {
        self.mean.abs() > 2.0 * self.error
    }
}

impl<'a> Report<'a> {
    /// Reports the `outcomes` of `plan`.
    pub fn new(plan: &'a Plan, outcomes: &'a [Outcome]) -> Self {
        Self { plan, outcomes }
    }

    /// Two tables in `metric` (a name in [`METRICS`], by default the first): each method at each k, and the paired
    /// differences of the learners to the best baseline at each k. Fits 100 columns.
    pub fn table(&self, metric: &str) -> String {
        let (name, metric) = *METRICS.iter().find(|(name, _)| *name == metric).unwrap_or(&METRICS[0]);
        let users = self.outcomes.first().map_or(0, |outcome| outcome.users.len());
        let mut text = format!(
            "{name}, protocol {}, {} of 10 folds, {users} test users, k = interactions of the new user\n",
            self.plan.protocol.name(),
            self.plan.folds,
        );
        let mut table = grid(SHOTS.iter().map(|shots| format!("k = {shots}")), &["mean", "size"]);
        for outcome in self.outcomes {
            let estimates = (0..SHOTS.len()).map(|at| estimate(outcome, metric, at));
            let means: Vec<f64> = estimates.map(|estimate| estimate.mean).collect();
            let mut row = vec![outcome.name.clone()];
            row.extend(
                means
                    .iter()
                    .chain(&[means.iter().sum::<f64>() / means.len() as f64])
                    .map(|&mean| share(mean)),
            );
            row.push(size(outcome.bytes));
            table.add_row(row);
        }
        text += &format!("{table}\n");
        if let Some(best) = self.best_baselines(metric) {
            text += "\nlearner minus the best baseline at each k, paired over users, ± one standard error\n";
            let columns = SHOTS.iter().zip(&best).map(|(shots, best)| format!("k = {shots}\n{}", best.name));
            let mut table = grid(columns, &[]);
            for outcome in self.outcomes.iter().filter(|outcome| !outcome.is_baseline) {
                let mut row = vec![outcome.name.clone()];
                let differences =
                    best.iter().enumerate().map(|(at, best)| difference(outcome, best, metric, at));
                row.extend(differences.map(|d| format!("{}\n±{}", signed(d.mean), share(d.error))));
                table.add_row(row);
            }
            text += &format!("{table}\n");
        }
        text
    }

    /// What the first ten of the lists show of the catalogue, mean over k: coverage, Gini coefficient, popularity. See
    /// [`Exposure`].
    pub fn exposure(&self) -> String {
        let columns = EXPOSURE.map(|(name, _)| name.to_owned());
        let mut table = grid(columns.into_iter(), &[]);
        for outcome in self.outcomes {
            let mut row = vec![outcome.name.clone()];
            row.extend(EXPOSURE.map(|(_, measure)| share(exposed(outcome, measure))));
            table.add_row(row);
        }
        format!(
            "the first ten of all lists, mean over k: share of the items that are in any list, Gini coefficient\n\
             of how often, share of the training users who like what is listed\n{table}\n"
        )
    }

    /// The paired differences of changed learners to themselves without the changes; empty if there are none.
    pub fn changes(&self, metric: &str) -> String {
        let (name, metric) = *METRICS.iter().find(|(name, _)| *name == metric).unwrap_or(&METRICS[0]);
        let plain = |changed: &Outcome| {
            let (learner, _) = changed.name.split_once(':')?;
            self.outcomes.iter().find(|outcome| outcome.name == learner)
        };
        let mut table = grid(SHOTS.iter().map(|shots| format!("k = {shots}")), &[]);
        for (changed, plain) in self.outcomes.iter().filter_map(|changed| Some((changed, plain(changed)?))) {
            let mut row = vec![changed.name.clone()];
            let differences = (0..SHOTS.len()).map(|at| difference(changed, plain, metric, at));
            row.extend(differences.map(|d| format!("{}\n±{}", signed(d.mean), share(d.error))));
            table.add_row(row);
        }
        if table.is_empty() {
            return String::new();
        }
        format!("{name}, change minus no change, paired over users, ± one standard error\n{table}\n")
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let plan = self.plan;
        let methods: Vec<Value> = self.outcomes.iter().map(|outcome| self.method(outcome)).collect();
        json!({
            "protocol": plan.protocol.name(),
            "folds": plan.folds,
            "seed": plan.seed,
            "configuration": plan.config,
            "test users": self.outcomes.first().map_or(0, |outcome| outcome.users.len()),
            "methods": methods,
        })
    }

    fn method(&self, outcome: &Outcome) -> Value {
        let mut value = json!({
            "name": outcome.name,
            "baseline": outcome.is_baseline,
            "bytes": outcome.bytes,
            "choices": outcome.choices,
        });
        for (name, metric) in METRICS {
            let best = self.best_baselines(metric);
            let at_each: Vec<Value> = (0..SHOTS.len())
                .map(|at| {
                    let Estimate { mean, error } = estimate(outcome, metric, at);
                    let mut value = json!({ "k": SHOTS[at], "mean": mean, "standard error": error });
                    if let Some(best) = best.as_ref().filter(|_| !outcome.is_baseline) {
                        let Estimate { mean, error } = difference(outcome, best[at], metric, at);
                        value["best baseline"] = json!(best[at].name);
                        value["difference"] = json!({ "mean": mean, "standard error": error });
                    }
                    value
                })
                .collect();
            value[name] = json!(at_each);
        }
        for (name, measure) in EXPOSURE {
            let at_each = SHOTS.iter().zip(&outcome.exposure);
            let at_each = at_each.map(|(shots, exposure)| json!({ "k": shots, "mean": measure(exposure) }));
            value[name] = at_each.collect();
        }
        value["groups"] = groups::of(outcome);
        value
    }

    /// The best baseline at each k; `None` if there is none.
    fn best_baselines(&self, metric: Metric) -> Option<Vec<&'a Outcome>> {
        let best = |at: usize| {
            let baselines = self.outcomes.iter().filter(|outcome| outcome.is_baseline);
            baselines.max_by(|a, b| estimate(a, metric, at).mean.total_cmp(&estimate(b, metric, at).mean))
        };
        (0..SHOTS.len()).map(best).collect()
    }
}

fn values(outcome: &Outcome, metric: Metric, at: usize) -> Vec<f64> {
    outcome.users.iter().map(|of_user| metric(&of_user[at])).collect()
}

fn estimate(outcome: &Outcome, metric: Metric, at: usize) -> Estimate {
    let values = values(outcome, metric, at);
    Estimate { mean: mean(&values).unwrap_or(0.0), error: standard_error(&values) }
}

/// The mean over all k.
fn exposed(outcome: &Outcome, measure: Measure) -> f64 {
    outcome.exposure.iter().map(measure).sum::<f64>() / SHOTS.len() as f64
}

/// The mean over all k.
fn overall(outcome: &Outcome, metric: Metric) -> Estimate {
    let of_user =
        |of_user: &[Metrics; SHOTS.len()]| of_user.iter().map(metric).sum::<f64>() / SHOTS.len() as f64;
    let values: Vec<f64> = outcome.users.iter().map(of_user).collect();
    Estimate { mean: mean(&values).unwrap_or(0.0), error: standard_error(&values) }
}

fn difference(a: &Outcome, b: &Outcome, metric: Metric, at: usize) -> Estimate {
    let (mean, error) = paired(&values(a, metric, at), &values(b, metric, at));
    Estimate { mean, error }
}

/// An empty table: the method, a column for each k, and what follows.
fn grid(shots: impl Iterator<Item = String>, more: &[&str]) -> Table {
    let header = std::iter::once("method".to_owned()).chain(shots);
    table(header.chain(more.iter().map(|&name| name.to_owned())).collect())
}

/// An empty table with these columns, all but the first of numbers.
fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    let columns = header.len();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in 1..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Three digits behind the point and none before it.
fn share(value: f64) -> String {
    format!("{value:.3}").trim_start_matches('0').to_owned()
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '-' } else { '+' };
    format!("{sign}{}", share(value.abs()))
}

/// Bytes for people.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", (bytes + 500) / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(share(0.2549), ".255");
        assert_eq!(share(1.0), "1.000");
        assert_eq!(signed(-0.0181), "-.018");
        assert_eq!(signed(0.0), "+.000");
        assert_eq!(
            (size(999), size(43_200), size(4_312_000)),
            ("999 B".into(), "43 KB".into(), "4.3 MB".into())
        );
    }
}
