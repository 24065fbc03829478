//! Plays the requests, one session each.

use crate::REQUESTS;
use crate::answer::Answered;
use crate::failure::{Cause, Failure};
use crate::item::add_items;
use crate::memory::Memory;
use crate::model::MODELS;
use crate::question::{Room, answer};
use crate::words::{Lines, interactions, numbers, verb};
use tinderbox::{Kernel, Model, NewItems, Session};

/// Plays all requests with `kernel`, and hands over every answer, in the order of the requests.
///
/// # Errors
/// [`Failure`] where a request is malformed or refused: later ones are then not played.
pub fn run(kernel: Kernel, memory: &mut Memory, mut see: impl FnMut(&Answered<'_>)) -> Result<(), Failure> {
    let mut lines = Lines::of(REQUESTS);
    while let Some(opening) = lines.next_if(|_| true) {
        request(kernel, opening, &mut lines, memory, &mut see)
            .map_err(|cause| Failure { line: lines.number, cause })?;
    }
    Ok(())
}

/// One request: a model, items that training never saw, then what an app does with a session.
fn request(
    kernel: Kernel,
    opening: &str,
    lines: &mut Lines,
    memory: &mut Memory,
    see: &mut impl FnMut(&Answered<'_>),
) -> Result<(), Cause> {
    let name = opening.strip_prefix("model ").ok_or(Cause::Syntax)?;
    let (_, bytes) = MODELS.iter().find(|(known, _)| *known == name).ok_or(Cause::UnknownModel)?;
    let model = Model::open(bytes)?;
    let new = add_items(kernel, &model, lines, memory, see)?;
    let Memory { scratch, rows, scales, support, numbers: lists, list, reasons, spare, .. } = memory;
    let mut session = Session::with_kernel(model, kernel, scratch)?;
    session.add_items(NewItems { rows: &rows[..new * model.dim()], scales: &scales[..new] })?;
    while let Some(line) = lines.next_if(|line| !line.starts_with("model ")) {
        let (said, rest) = verb(line);
        match said {
            "user" => session.set_features(numbers(rest.split_ascii_whitespace(), &mut lists.names)?)?,
            "feedback" => session.adapt(interactions(&model, rest, support)?)?,
            _ => {
                let asked = lines.number;
                let room = Room { kernel, support, lists, list, reasons, spare };
                let answer = answer(&mut session, said, rest, room)?;
                see(&Answered { line: asked, question: line, golden: lines.golden(), answer });
            }
        }
    }
    Ok(())
}
