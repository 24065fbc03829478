//! Progress on the terminal: one line on standard error, silent where that is not a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tinderbox_trainer::train;

/// A line that says what is being done, and how far it is.
pub(crate) struct Screen {
    bar: ProgressBar,
}

impl Screen {
    /// Begins with `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(message.into());
        Self { bar }
    }

    /// Says something else.
    pub(crate) fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    /// Says how a training stands, after `what`.
    pub(crate) fn training(&self, what: &str, training: train::Progress) {
        let train::Progress { epoch, epochs, loss, validation } = training;
        match validation {
            Some(validation) => {
                self.say(format!(
                    "{what}: epoch {epoch} of at most {epochs}, loss {loss:.3}, validation {validation:.4}"
                ));
            }
            None if epoch == 1 => {
                self.say(format!("{what}: epoch {epoch} of at most {epochs}, loss {loss:.3}"))
            }
            None => {}
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
