//! Questions to a session.

use crate::answer::Answer;
use crate::failure::Cause;
use crate::memory::{Numbers, USER_SCRATCH, USERS};
use crate::words::{interactions, number, numbers};
use tinderbox::{Filter, Interaction, Kernel, Model, Ranked, Reason, Session, rank_batch};

/// Memory for what is asked and for the answer.
pub(crate) struct Room<'m> {
    pub(crate) kernel: Kernel,
    pub(crate) support: &'m mut [Interaction],
    pub(crate) lists: &'m mut Numbers,
    pub(crate) list: &'m mut [Ranked],
    pub(crate) reasons: &'m mut [Reason],
    pub(crate) spare: &'m mut [f32],
}

/// Puts one question: its first word and the rest of its line.
pub(crate) fn answer<'m, 'a: 'm>(
    session: &mut Session<'a>,
    said: &str,
    rest: &str,
    room: Room<'m>,
) -> Result<Answer<'m>, Cause> {
    let model = session.model();
    let mut words = rest.split_ascii_whitespace();
    let Room { kernel, support, lists, list, reasons, spare } = room;
    Ok(match said {
        "rank" => {
            let list = first(list, words.next())?;
            Answer::List(session.rank(&filter(words, lists)?, list)?)
        }
        "diverse" => {
            let (len, candidates) = (number(words.next())? as usize, first(list, words.next())?);
            let diversity = number(words.next())? as f32 / 100.0;
            Answer::List(session.rank_diverse(&filter(words, lists)?, diversity, len, spare, candidates)?)
        }
        "similar" => {
            let (item, list) = (number(words.next())?, first(list, words.next())?);
            Answer::List(session.similar(item, &filter(words, lists)?, list)?)
        }
        "batch" => batch(&model, kernel, rest, support, list, spare)?,
        "score" => Answer::Score(session.score(number(words.next())?)?),
        "explain" => {
            let (item, reasons) = (number(words.next())?, first(reasons, words.next())?);
            Answer::Reasons(session.explain(item, reasons)?)
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

/// `TOP | I:F … | I:F …`: the lists of two users in one pass.
fn batch<'m>(
    model: &Model<'_>,
    kernel: Kernel,
    rest: &str,
    support: &mut [Interaction],
    list: &'m mut [Ranked],
    spare: &mut [f32],
) -> Result<Answer<'m>, Cause> {
    let [top, first_user, second_user] = parts(rest)?;
    let (first_scratch, second_scratch) = spare.split_at_mut(USER_SCRATCH);
    let mut a = Session::with_kernel(*model, kernel, first_scratch)?;
    a.adapt(interactions(model, first_user, support)?)?;
    let mut b = Session::with_kernel(*model, kernel, second_scratch)?;
    b.adapt(interactions(model, second_user, support)?)?;
    let top = number(Some(top))? as usize;
    let (first_list, second_list) = list.get_mut(..USERS * top).ok_or(Cause::TooLong)?.split_at_mut(top);
    let filter = Filter::default();
    let mut requests = [a.request(&filter, first_list)?, b.request(&filter, second_list)?];
    rank_batch(&mut requests);
    Ok(Answer::Lists(requests.map(|request| &*request.ranked())))
}

/// What stands between bars.
fn parts<const N: usize>(text: &str) -> Result<[&str; N], Cause> {
    let (mut parts, mut given) = ([""; N], text.split('|').map(str::trim));
    for part in &mut parts {
        *part = given.next().ok_or(Cause::Syntax)?;
    }
    if given.next().is_none() { Ok(parts) } else { Err(Cause::Syntax) }
}

/// As much of the memory as a list of this length takes.
fn first<'m, Entry>(memory: &'m mut [Entry], len: Option<&str>) -> Result<&'m mut [Entry], Cause> {
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
