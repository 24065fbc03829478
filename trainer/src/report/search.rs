//! A search as a table for a terminal.

use comfy_table::{CellAlignment, ContentArrangement};

use super::{Estimate, share, signed};
use crate::fit::paired;
use crate::tune::{SPACE, Tried, Tuned};

/// Most trials that are shown, beside trial 0.
const SHOWN: usize = 10;

/// Of the table, in characters.
const WIDTH: u16 = 80;

/// The best of the trials that were trained to the end, best first, with their paired differences to the best; and a
/// warning where the best may be no better than what `auto` keeps.
pub fn table(tuned: &Tuned) -> String {
    let Some(best) = tuned.finalists.first() else { return String::new() };
    let mut table = super::table(["trial", "ndcg@10", "- best", "configuration"].map(str::to_owned).into());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    if let Some(configuration) = table.column_mut(3) {
        configuration.set_cell_alignment(CellAlignment::Left);
    }
    for (place, tried) in tuned.finalists.iter().enumerate() {
        if place < SHOWN || tried.trial == 0 {
            table.add_row(row(tried, best));
        }
    }
    format!(
        "{} trials, {} of them trained to the end\n\
         validation users, mean over k, ± one standard error, paired\n\
         {table}\n{}",
        tuned.trials,
        tuned.finalists.len(),
        doubt(tuned, best),
    )
}

fn row(tried: &Tried, best: &Tried) -> Vec<String> {
    let name = if tried.trial == 0 { "0 (auto)".to_owned() } else { tried.trial.to_string() };
    let Estimate { mean, error } = difference(tried, best);
    let difference = format!("{} ±{}", signed(mean), share(error));
    let difference = if tried.trial == best.trial { String::new() } else { difference };
    let fields =
        SPACE.iter().map(|parameter| format!("{} {}", parameter.name, parameter.show(&tried.config)));
    vec![name, share(tried.quality()), difference, fields.collect::<Vec<_>>().join(", ")]
}

/// What to make of the best trial.
fn doubt(tuned: &Tuned, best: &Tried) -> &'static str {
    let auto = tuned.finalists.iter().find(|tried| tried.trial == 0);
    match auto {
        Some(auto) if auto.trial == best.trial => "no trial is better than what auto keeps\n",
        Some(auto) if !difference(auto, best).is_clear() => {
            "the best is less than two standard errors above what auto keeps: it may be no better\n"
        }
        _ => "",
    }
}

fn difference(a: &Tried, b: &Tried) -> Estimate {
    let (mean, error) = paired(&a.validation, &b.validation);
    Estimate { mean, error }
}
