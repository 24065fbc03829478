//! An answer, and whether it is the golden one.

use crate::memory::USERS;
use core::fmt::{self, Write};
use tinderbox::{Ranked, Reason};

/// What the engine says to a question. Displayed as an answer's line of the requests, floats as their bits.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Items, best first.
    List(&'a [Ranked]),
    /// The lists of a batch of users.
    Lists([&'a [Ranked]; USERS]),
    /// Feedback that raised an item, strongest first.
    Reasons(&'a [Reason]),
    /// An embedded item.
    Row {
        /// Its scale.
        scale: f32,
        /// Its row, dim bytes.
        row: &'a [i8],
    },
    /// A score.
    Score(f32),
    /// Items without scores.
    Items(&'a [u32]),
    /// An id or a title, if there is one.
    Text(Option<&'a str>),
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("=")?;
        match *self {
            Self::List(list) => ranking(f, list),
            Self::Lists(lists) => lists.iter().enumerate().try_for_each(|(user, list)| {
                f.write_str(if user > 0 { " |" } else { "" })?;
                ranking(f, list)
            }),
            Self::Reasons(reasons) => {
                reasons.iter().try_for_each(|reason| item(f, reason.item, reason.effect))
            }
            Self::Row { scale, row } => {
                write!(f, " {:08x} ", scale.to_bits())?;
                row.iter().try_for_each(|value| write!(f, "{value:02x}"))
            }
            Self::Score(score) => write!(f, " {:08x}", score.to_bits()),
            Self::Items(items) => items.iter().try_for_each(|item| write!(f, " {item}")),
            Self::Text(text) => text.map_or(Ok(()), |text| write!(f, " {text}")),
        }
    }
}

fn ranking(f: &mut fmt::Formatter<'_>, list: &[Ranked]) -> fmt::Result {
    list.iter().try_for_each(|ranked| item(f, ranked.item, ranked.score))
}

fn item(f: &mut fmt::Formatter<'_>, item: u32, value: f32) -> fmt::Result {
    write!(f, " {item}:{:08x}", value.to_bits())
}

/// A question that was put, its answer and the golden one.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Line of the question, from 1.
    pub line: usize,
    /// The question.
    pub question: &'a str,
    /// The golden answer's line; `None` for a question that has none yet.
    pub golden: Option<&'a str>,
    /// The answer.
    pub answer: Answer<'a>,
}

impl Answered<'_> {
    /// Whether the answer is the golden one, to the bit.
    pub fn is_golden(&self) -> bool {
        let Some(golden) = self.golden else { return false };
        let mut rest = Rest(golden);
        write!(rest, "{}", self.answer).is_ok() && rest.0.is_empty()
    }
}

/// What is left of a text after all that was written, which it must begin with.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}
