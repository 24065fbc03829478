//! Items that training never saw.

use crate::answer::{Answer, Answered};
use crate::failure::Cause;
use crate::memory::{Memory, RATERS};
use crate::words::{Lines, feedback, interactions, numbers, verb};
use tinderbox::{Interaction, Kernel, Model, Rater, Session, adapt_item, embed_item};

/// Plays the lines `rater` and `new`; returns how many items there are.
pub(crate) fn add_items(
    kernel: Kernel,
    model: &Model<'_>,
    lines: &mut Lines,
    memory: &mut Memory,
    see: &mut impl FnMut(&Answered<'_>),
) -> Result<usize, Cause> {
    let (mut new, mut raters, mut levels) = (0, 0, [0; RATERS]);
    while let Some(question) = lines.next_if(|line| matches!(verb(line).0, "rater" | "new")) {
        let (said, rest) = verb(question);
        if said == "rater" {
            *levels.get_mut(raters).ok_or(Cause::TooLong)? = rate(kernel, model, rest, raters, memory)?;
            raters += 1;
        } else {
            let (line, answer) = (lines.number, embed(model, rest, &levels[..raters], new, memory)?);
            see(&Answered { line, question, golden: lines.golden(), answer });
            (new, raters) = (new + 1, 0);
        }
    }
    Ok(new)
}

/// Embeds a rater by the other feedback, into place `at`; returns the level of what was said of the new item.
fn rate(kernel: Kernel, model: &Model<'_>, said: &str, at: usize, memory: &mut Memory) -> Result<u8, Cause> {
    let ((of_new, of_others), dim) = (verb(said), model.dim());
    let mut session = Session::with_kernel(*model, kernel, &mut memory.scratch)?;
    session.adapt(interactions(model, of_others, &mut memory.support)?)?;
    memory.raters[at * dim..][..dim].copy_from_slice(session.user());
    Ok(Interaction::at(model, 0, feedback(of_new)?)?.level)
}

/// Embeds a new item, into place `at`, by its features and the raters, whose `levels` these are.
fn embed<'m>(
    model: &Model<'_>,
    features: &str,
    levels: &[u8],
    at: usize,
    memory: &'m mut Memory,
) -> Result<Answer<'m>, Cause> {
    let dim = model.dim();
    let features = numbers(features.split_ascii_whitespace(), &mut memory.numbers.names)?;
    let row = memory.rows.get_mut(at * dim..(at + 1) * dim).ok_or(Cause::TooLong)?;
    let mut raters = [Rater { user: &[], level: 0 }; RATERS];
    let said = memory.raters.chunks_exact(dim).zip(levels).map(|(user, &level)| Rater { user, level });
    raters.iter_mut().zip(said).for_each(|(rater, said)| *rater = said);
    let scale = match levels.len() {
        0 => embed_item(model, features, row)?,
        raters_len => adapt_item(model, features, &raters[..raters_len], &mut memory.scratch, row)?,
    };
    *memory.scales.get_mut(at).ok_or(Cause::TooLong)? = scale;
    Ok(Answer::Row { scale, row })
}
