//! `trainer inspect`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::model::read_model;
use super::recommend::name;
use tinderbox::{Model, Rule};
use tinderbox_trainer::report::size;

/// Show what a model file holds
///
/// Opening checks the header and the layout; `--verify` checks every byte.
#[derive(Args)]
#[command(after_help = "Example:\n  trainer inspect movies.tbx --verify")]
pub(crate) struct Inspect {
    /// The model file
    file: PathBuf,

    /// Check every byte: checksums, values, texts
    #[arg(long)]
    verify: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<()> {
        let file = read_model(&self.file)?;
        let context = || self.file.display().to_string();
        let model = file.model().with_context(context)?;
        if self.verify {
            model.verify().with_context(context)?;
        }
        let mut stdout = stdout().lock();
        if self.json {
            writeln!(stdout, "{:#}", describe(&model, self.verify))?;
        } else {
            write!(stdout, "{}", text(&model, self.verify))?;
        }
        Ok(())
    }
}

fn describe(model: &Model<'_>, verified: bool) -> Value {
    let levels = model.levels();
    let levels: Vec<Value> = (0..levels.len())
        .map(|l| {
            json!({
                "value": levels.value(l),
                "target": levels.target(l),
                "weight": levels.weight(l),
                "liked": levels.liked(l),
            })
        })
        .collect();
    let sections: Vec<Value> = model
        .sections()
        .map(|section| json!({ "name": section.name(), "offset": section.offset, "len": section.len }))
        .collect();
    json!({
        "rule": model.rule().name(),
        "rule parameters": match model.rule() {
            Rule::Maml { pull } => json!({ "pull": pull }),
            Rule::Prototypical { scale, shrinkage } => json!({ "scale": scale, "shrinkage": shrinkage }),
            Rule::Matching { sharpness, null: nothing } => json!({ "sharpness": sharpness, "null": nothing }),
        },
        "items": model.items(),
        "dim": model.dim(),
        "steps": model.steps(),
        "levels": levels,
        "item features": model.item_features().len(),
        "user features": model.user_features().len(),
        "categories": model.categories().len(),
        "onboarding": model.onboarding(),
        "bytes": model.bytes().len(),
        "content id": format!("{:016x}", model.content_id()),
        "verified": verified,
        "sections": sections,
        "card": serde_json::from_str::<Value>(model.card().unwrap_or("null")).unwrap_or(Value::Null),
    })
}

fn text(model: &Model<'_>, verified: bool) -> String {
    let mut text = format!(
        "{} model, {} items, dim {}, {} inner steps, {}\ncontent id {:016x}, {}\n\nlevels (rating: target, weight)\n",
        model.rule().name(),
        model.items(),
        model.dim(),
        model.steps(),
        size(model.bytes().len()),
        model.content_id(),
        if verified { "every byte verified" } else { "opened, not verified (--verify)" },
    );
    let levels = model.levels();
    for l in 0..levels.len() {
        let liked = if levels.liked(l) { "  liked" } else { "" };
        text += &format!("{:6}: {:6.3} {:6.3}{liked}\n", levels.value(l), levels.target(l), levels.weight(l));
    }
    text += "\nitems to show a new user first\n";
    for &item in model.onboarding() {
        text += &format!("  {}\n", name(model, item));
    }
    text += "\nsections (bytes)\n";
    for section in model.sections() {
        text += &format!("{:>10}  {}\n", section.len, section.name());
    }
    text += &format!("\ncard\n{}\n", model.card().unwrap_or("not text").trim_end());
    text
}
