//! Progress on standard error: a line on a terminal, or JSON for programs.

use std::sync::OnceLock;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tinderbox_trainer::train;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// One line that changes; nothing where standard error is not a terminal
    Line,
    /// Lines of JSON: `stage` and, in training, `epoch`, `epochs`, `loss`, `validation`
    Json,
}

static FORM: OnceLock<Form> = OnceLock::new();

/// Says how all screens show progress; the first call counts.
pub(crate) fn show(form: Form) {
    let _ = FORM.set(form);
}

/// What is being done, and how far it is.
pub(crate) struct Screen {
    /// `None`: as JSON.
    bar: Option<ProgressBar>,
}

impl Screen {
    /// Begins with `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let is_json = FORM.get() == Some(&Form::Json);
        let screen = Self { bar: (!is_json).then(bar) };
        screen.say(message);
        screen
    }

    /// Says something else.
    pub(crate) fn say(&self, message: impl Into<String>) {
        let message = message.into();
        match &self.bar {
            Some(bar) => bar.set_message(message),
            None => eprintln!("{}", json!({ "stage": message })),
        }
    }

    /// Says how a training stands, after `what`.
    pub(crate) fn training(&self, what: &str, training: train::Progress) {
        let train::Progress { epoch, epochs, loss, validation } = training;
        let Some(bar) = &self.bar else {
            let mut line = json!({ "stage": what, "epoch": epoch, "epochs": epochs, "loss": loss });
            if let Some(validation) = validation {
                line["validation"] = validation.into();
            }
            eprintln!("{line}");
            return;
        };
        match validation {
            Some(validation) => bar.set_message(format!(
                "{what}: epoch {epoch} of at most {epochs}, loss {loss:.3}, validation {validation:.4}"
            )),
            None if epoch == 1 => {
                bar.set_message(format!("{what}: epoch {epoch} of at most {epochs}, loss {loss:.3}"));
            }
            None => {}
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
