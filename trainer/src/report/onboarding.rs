//! What onboarding is worth, as tables for a terminal and as JSON.

use serde_json::{Value, json};

use super::{Estimate, grid, share, signed};
use crate::evaluate::onboarding::{Answered, Asked, POPULAR, SHOWN};
use crate::fit::{mean, paired, standard_error};

/// One number of what came of showing items.
type Measure = fn(&Answered) -> f64;

/// NDCG@10 of both rankings, by name, and what the ranking leaves out.
const MEASURES: [(&str, &str, Measure); 2] = [
    ("ndcg@10", "the catalogue without what was answered on", |answered| answered.metrics.ndcg_10),
    ("ndcg@10 alike", "the catalogue without all that could be answered on", |answered| {
        answered.alike.ndcg_10
    }),
];

/// For each ranking a table of the policies of one learner: number of answers, NDCG@10, and its paired difference to
/// showing the most popular items. Fits 100 columns.
pub fn table(learner: &str, outcomes: &[Asked]) -> String {
    let users = outcomes.first().map_or(0, |outcome| outcome.users.len());
    let columns = SHOWN.map(|shown| [format!("{shown} shown\nanswers"), "ndcg@10\n- popular".to_owned()]);
    let mut text = format!(
        "{learner} after showing the same items to {users} test users; half of what they rated can answer;\n\
         differences are paired over users, ± one standard error\n"
    );
    for (_, ranked, measure) in MEASURES {
        let mut table = grid(columns.iter().flatten().cloned(), &[]);
        for outcome in outcomes {
            let mut row = vec![outcome.policy.to_owned()];
            for at in 0..SHOWN.len() {
                let difference = difference(outcome, outcomes, measure, at);
                let difference = difference.map(|d| format!("\n{} ±{}", signed(d.mean), share(d.error)));
                row.push(format!("{:.2}", answers(outcome, at)));
                row.push(share(estimate(outcome, measure, at).mean) + &difference.unwrap_or_default());
            }
            table.add_row(row);
        }
        text += &format!("\nranked: {ranked}\n{table}\n");
    }
    text
}

/// The same for programs.
pub fn json(learner: &str, outcomes: &[Asked]) -> Value {
    let at_each = |outcome: &Asked| -> Value {
        (0..SHOWN.len())
            .map(|at| {
                let mut value = json!({ "shown": SHOWN[at], "answers": answers(outcome, at) });
                for (name, _, measure) in MEASURES {
                    let Estimate { mean, error } = estimate(outcome, measure, at);
                    value[name] = json!({ "mean": mean, "standard error": error });
                    if let Some(Estimate { mean, error }) = difference(outcome, outcomes, measure, at) {
                        value[name]["difference to popular"] =
                            json!({ "mean": mean, "standard error": error });
                    }
                }
                value
            })
            .collect()
    };
    let policies = outcomes.iter().map(|outcome| json!({ "policy": outcome.policy, "at": at_each(outcome) }));
    json!({ "learner": learner, "policies": policies.collect::<Vec<_>>() })
}

fn answers(outcome: &Asked, at: usize) -> f64 {
    mean(&values(outcome, |answered| f64::from(answered.answers), at)).unwrap_or(0.0)
}

fn estimate(outcome: &Asked, measure: Measure, at: usize) -> Estimate {
    let values = values(outcome, measure, at);
    Estimate { mean: mean(&values).unwrap_or(0.0), error: standard_error(&values) }
}

/// `None` for the most popular items themselves.
fn difference(outcome: &Asked, outcomes: &[Asked], measure: Measure, at: usize) -> Option<Estimate> {
    let popular = outcomes.iter().find(|other| other.policy == POPULAR && other.policy != outcome.policy)?;
    let (mean, error) = paired(&values(outcome, measure, at), &values(popular, measure, at));
    Some(Estimate { mean, error })
}

fn values(outcome: &Asked, measure: Measure, at: usize) -> Vec<f64> {
    outcome.users.iter().map(|answered| measure(&answered[at])).collect()
}
