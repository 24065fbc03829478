//! The requests, line by line and word by word.

use crate::failure::Cause;
use tinderbox::{Feedback, Interaction, Model};

/// The lines of the requests but for comments and empty ones.
pub(crate) struct Lines {
    rest: &'static str,
    /// Lines read so far.
    pub(crate) number: usize,
}

impl Lines {
    pub(crate) fn of(text: &'static str) -> Self {
        Self { rest: text, number: 0 }
    }

    /// The next line for which `wanted` holds; where it does not, nothing is read.
    pub(crate) fn next_if(&mut self, wanted: impl Fn(&str) -> bool) -> Option<&'static str> {
        loop {
            let (line, rest) = self.rest.split_once('\n')?;
            let is_silent = line.is_empty() || line.starts_with('#');
            if !is_silent && !wanted(line) {
                return None;
            }
            self.rest = rest;
            self.number += 1;
            if !is_silent {
                return Some(line);
            }
        }
    }

    /// The line after a question, if it is an answer.
    pub(crate) fn golden(&mut self) -> Option<&'static str> {
        self.next_if(|line| line.starts_with('='))
    }
}

/// A line's first word and the rest.
pub(crate) fn verb(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

/// A number.
pub(crate) fn number(word: Option<&str>) -> Result<u32, Cause> {
    word.and_then(|word| word.parse().ok()).ok_or(Cause::Syntax)
}

/// Numbers, into memory of the caller.
pub(crate) fn numbers<'m, 'w>(
    words: impl Iterator<Item = &'w str>,
    memory: &'m mut [u32],
) -> Result<&'m [u32], Cause> {
    let mut len = 0;
    for word in words {
        *memory.get_mut(len).ok_or(Cause::TooLong)? = number(Some(word))?;
        len += 1;
    }
    Ok(&memory[..len])
}

/// Interactions, into memory of the caller.
pub(crate) fn interactions<'m>(
    model: &Model<'_>,
    words: &str,
    memory: &'m mut [Interaction],
) -> Result<&'m [Interaction], Cause> {
    let mut len = 0;
    for word in words.split_ascii_whitespace() {
        let (item, said) = word.split_once(':').ok_or(Cause::Syntax)?;
        let interaction = Interaction::at(model, number(Some(item))?, feedback(said)?)?;
        *memory.get_mut(len).ok_or(Cause::TooLong)? = interaction;
        len += 1;
    }
    Ok(&memory[..len])
}

/// `+`, `-` or a rating. Ratings are whole, so that firmware needs no parser of floats.
pub(crate) fn feedback(word: &str) -> Result<Feedback, Cause> {
    Ok(match word {
        "+" => Feedback::Like,
        "-" => Feedback::Dislike,
        rating => Feedback::Rating(rating.parse::<u8>().map_err(|_| Cause::Syntax)?.into()),
    })
}
