//! Plays the requests, one session each.

use crate::REQUESTS;
use crate::answer::{Answer, Answered};
use crate::failure::{Cause, Failure};
use crate::memory::{Memory, Numbers, RATERS};
use crate::model::MODELS;
use crate::words::{Lines, feedback, interactions, number, numbers, verb};
use tinderbox::{
    Filter, Interaction, Kernel, Model, NewItems, Ranked, Rater, Reason, Session, adapt_item, embed_item,
};

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
    let Memory { scratch, rows, scales, support, numbers: lists, list, reasons, .. } = memory;
    let mut session = Session::with_kernel(model, kernel, scratch)?;
    session.add_items(NewItems { rows: &rows[..new * model.dim()], scales: &scales[..new] })?;
    while let Some(line) = lines.next_if(|line| !line.starts_with("model ")) {
        let (said, rest) = verb(line);
        match said {
            "user" => session.set_features(numbers(rest.split_ascii_whitespace(), &mut lists.names)?)?,
            "feedback" => session.adapt(interactions(&model, rest, support)?)?,
            _ => {
                let asked = lines.number;
                let answer = answer(&mut session, said, rest, lists, list, reasons)?;
                see(&Answered { line: asked, question: line, golden: golden(lines), answer });
            }
        }
    }
    Ok(())
}

/// The lines `rater` and `new`; returns how many items there are.
fn add_items(
    kernel: Kernel,
    model: &Model<'_>,
    lines: &mut Lines,
    memory: &mut Memory,
    see: &mut impl FnMut(&Answered<'_>),
) -> Result<usize, Cause> {
    let (dim, mut new, mut raters, mut levels) = (model.dim(), 0, 0, [0; RATERS]);
    while let Some(line) = lines.next_if(|line| matches!(verb(line).0, "rater" | "new")) {
        let (said, rest) = verb(line);
        if said == "rater" {
            let (given, others) = verb(rest);
            *levels.get_mut(raters).ok_or(Cause::TooLong)? =
                Interaction::at(model, 0, feedback(given)?)?.level;
            let mut session = Session::with_kernel(*model, kernel, &mut memory.scratch)?;
            session.adapt(interactions(model, others, &mut memory.support)?)?;
            memory.raters[raters * dim..][..dim].copy_from_slice(session.user());
            raters += 1;
            continue;
        }
        let features = numbers(rest.split_ascii_whitespace(), &mut memory.numbers.names)?;
        let row = memory.rows.get_mut(new * dim..(new + 1) * dim).ok_or(Cause::TooLong)?;
        let users = memory.raters.chunks_exact(dim).zip(levels).map(|(user, level)| Rater { user, level });
        let mut known = [Rater { user: &[], level: 0 }; RATERS];
        known.iter_mut().zip(users).for_each(|(known, rater)| *known = rater);
        let scale = match raters {
            0 => embed_item(model, features, row)?,
            _ => adapt_item(model, features, &known[..raters], &mut memory.scratch, row)?,
        };
        *memory.scales.get_mut(new).ok_or(Cause::TooLong)? = scale;
        let asked = lines.number;
        see(&Answered {
            line: asked,
            question: line,
            golden: golden(lines),
            answer: Answer::Row { scale, row },
        });
        (new, raters) = (new + 1, 0);
    }
    Ok(new)
}

/// The line after a question, if it is an answer.
fn golden(lines: &mut Lines) -> Option<&'static str> {
    lines.next_if(|line| line.starts_with('='))
}

fn answer<'o, 'a: 'o>(
    session: &mut Session<'a>,
    said: &str,
    rest: &str,
    lists: &'o mut Numbers,
    list: &'o mut [Ranked],
    reasons: &'o mut [Reason],
) -> Result<Answer<'o>, Cause> {
    let model = session.model();
    let mut words = rest.split_ascii_whitespace();
    Ok(match said {
        "rank" => {
            let top = room(list, words.next())?;
            Answer::List(session.rank(&filter(words, lists)?, top)?)
        }
        "score" => Answer::Score(session.score(number(words.next())?)?),
        "explain" => {
            let item = number(words.next())?;
            Answer::Reasons(session.explain(item, room(reasons, words.next())?)?)
        }
        "onboarding" => Answer::Items(model.onboarding()),
        "find" => {
            let found = model.item(rest).map(|item| item as u32);
            lists.names[0] = found.unwrap_or_default();
            Answer::Items(&lists.names[..usize::from(found.is_some())])
        }
        "id" => Answer::Text(model.id(number(words.next())? as usize)),
        "title" => Answer::Text(model.title(number(words.next())? as usize)),
        _ => return Err(Cause::Syntax),
    })
}

/// As much of the memory as a list of this length takes.
fn room<'m, Entry>(memory: &'m mut [Entry], len: Option<&str>) -> Result<&'m mut [Entry], Cause> {
    memory.get_mut(..number(len)? as usize).ok_or(Cause::TooLong)
}

/// `allow=1,2 deny=3 categories=4,5 keep`, each of them optional.
fn filter<'n, 'w>(words: impl Iterator<Item = &'w str>, lists: &'n mut Numbers) -> Result<Filter<'n>, Cause> {
    let mut filter = Filter::default();
    let Numbers { allow, deny, names } = lists;
    let (mut allow, mut deny, mut names) = (Some(allow), Some(deny), Some(names));
    for word in words {
        let (what, items) = word.split_once('=').unwrap_or((word, ""));
        let items = items.split_terminator(',');
        let list = |memory: &mut Option<&'n mut [u32; _]>| {
            numbers(items.clone(), memory.take().ok_or(Cause::Syntax)?)
        };
        match what {
            "allow" => filter.allow = Some(list(&mut allow)?),
            "deny" => filter.deny = list(&mut deny)?,
            "categories" => filter.categories = list(&mut names)?,
            "keep" => filter.keep_support = true,
            _ => return Err(Cause::Syntax),
        }
    }
    Ok(filter)
}
