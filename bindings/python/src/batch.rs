//! Many users in one call.

use std::panic::resume_unwind;
use std::thread;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use tinderbox::{Filter, Interaction, Model, Ranked, Session, rank_batch};

use crate::array::{Integers, said};
use crate::error::{Raise, SessionError, feedback_at};
use crate::feedback::interaction;
use crate::new_item::numbers;

/// Users that share a pass over the rows.
const TILE: usize = 32;

/// Floats of scratch memory for the sessions of a thread; long supports make for smaller tiles.
const SCRATCH: usize = 1 << 22;

/// The users of a batch: read and checked while the interpreter is held, so that no other thread can change them.
pub(crate) struct Tasks {
    supports: Vec<Interaction>,
    /// Where the support of each user ends.
    ends: Vec<usize>,
    /// User features of each user, if any were given.
    features: Option<Vec<Vec<u32>>>,
}

/// One list for each user, users x top; -1 and NaN where there are not so many items.
pub(crate) struct Lists {
    pub(crate) items: Vec<i32>,
    pub(crate) scores: Vec<f32>,
}

/// The lists of some neighbours.
struct Part<'l> {
    first: usize,
    /// users x top
    items: &'l mut [i32],
    /// users x top
    scores: &'l mut [f32],
}

impl Tasks {
    /// Reads a CSR matrix, or its arrays.
    pub(crate) fn new(
        model: &Model<'_>,
        feedback: &Bound<'_, PyAny>,
        features: Option<Vec<Vec<String>>>,
    ) -> PyResult<Self> {
        let (ends, items, values) = arrays(model, feedback)?;
        let (ends, items) = (Integers::of(&ends, "indptr")?, Integers::of(&items, "indices")?);
        let said = said(Some(&values), items.len())?;
        let ends = checked(&ends, items.len())?;
        let mut supports = Vec::with_capacity(items.len());
        for (at, (item, value)) in items.iter()?.zip(said).enumerate() {
            supports.push(interaction(model, item, value).map_err(|error| {
                let user = ends.partition_point(|&end| end <= at);
                feedback_at(format_args!("user {user}, item {item}"), error)
            })?);
        }
        let features = features.map(|features| known(model, &features, ends.len())).transpose()?;
        Ok(Self { supports, ends, features })
    }

    /// Number of users.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn support(&self, user: usize) -> &[Interaction] {
        let start = user.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.supports[start..self.ends[user]]
    }

    /// Ranks for all users on so many threads; the lists do not depend on how many.
    pub(crate) fn rank(
        &self,
        model: &Model<'_>,
        filter: &Filter<'_>,
        top: usize,
        threads: usize,
    ) -> PyResult<Lists> {
        let users = self.len();
        let mut lists = Lists { items: vec![-1; users * top], scores: vec![f32::NAN; users * top] };
        if users * top == 0 {
            return Ok(lists);
        }
        let each = users.div_ceil(threads.clamp(1, users));
        let slices = lists.items.chunks_mut(each * top).zip(lists.scores.chunks_mut(each * top));
        let mut parts = (0..users).step_by(each).zip(slices).map(|(first, (items, scores))| Part {
            first,
            items,
            scores,
        });
        let own = parts.next();
        thread::scope(|scope| {
            let others: Vec<_> =
                parts.map(|part| scope.spawn(move || self.rank_part(model, filter, top, part))).collect();
            own.map_or(Ok(()), |part| self.rank_part(model, filter, top, part))?;
            others.into_iter().try_for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        Ok(lists)
    }

    fn rank_part(&self, model: &Model<'_>, filter: &Filter<'_>, top: usize, part: Part<'_>) -> PyResult<()> {
        let users = part.first..part.first + part.items.len() / top;
        let longest = users.clone().map(|user| self.support(user).len()).max().unwrap_or(0);
        let len = Session::scratch_len(model, longest);
        let tile = (SCRATCH / len).clamp(1, TILE).min(users.len());
        let mut scratch = vec![0.0; tile * len];
        let mut sessions: Vec<Session<'_>> = scratch
            .chunks_exact_mut(len)
            .map(|scratch| Session::new(*model, scratch))
            .collect::<Result<_, _>>()
            .map_err(Raise::raise)?;
        let mut ranked = vec![Ranked::default(); tile * top];
        let lists = part.items.chunks_mut(tile * top).zip(part.scores.chunks_mut(tile * top));
        for (first, (items, scores)) in users.step_by(tile).zip(lists) {
            let sessions = &mut sessions[..items.len() / top];
            for (user, session) in (first..).zip(sessions.iter_mut()) {
                self.adapt(user, session)?;
            }
            let mut requests = sessions
                .iter()
                .zip(ranked.chunks_mut(top))
                .map(|(session, out)| session.request(filter, out))
                .collect::<Result<Vec<_>, _>>()
                .map_err(Raise::raise)?;
            rank_batch(&mut requests);
            let places = items.chunks_mut(top).zip(scores.chunks_mut(top));
            for (request, (items, scores)) in requests.into_iter().zip(places) {
                for (ranked, (item, score)) in request.ranked().iter().zip(items.iter_mut().zip(scores)) {
                    (*item, *score) = (ranked.item as i32, ranked.score);
                }
            }
        }
        Ok(())
    }

    fn adapt(&self, user: usize, session: &mut Session<'_>) -> PyResult<()> {
        let fail = |error| SessionError::new_err(format!("user {user}: {error}"));
        if let Some(features) = &self.features {
            session.set_features(&features[user]).map_err(fail)?;
        }
        session.adapt(self.support(user)).map_err(fail)
    }
}

/// `indptr`, `indices` and values of a CSR matrix, or of a tuple of them.
type Arrays<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

fn arrays<'py>(model: &Model<'_>, feedback: &Bound<'py, PyAny>) -> PyResult<Arrays<'py>> {
    let py = feedback.py();
    if !feedback.hasattr(intern!(py, "indptr"))? {
        return feedback.extract().map_err(|_: PyErr| {
            PyValueError::new_err("feedback must be a scipy CSR matrix or (indptr, indices, values)")
        });
    }
    if feedback.getattr(intern!(py, "format"))?.extract::<String>()? != "csr" {
        return Err(PyValueError::new_err("the matrix is not CSR: call its tocsr()"));
    }
    let (_, columns): (usize, usize) = feedback.getattr(intern!(py, "shape"))?.extract()?;
    if columns != model.items() {
        return Err(PyValueError::new_err(format!(
            "the matrix has {columns} columns, the model {} items: columns are item numbers, see Model.numbers",
            model.items()
        )));
    }
    let array = |name| feedback.getattr(name);
    Ok((array(intern!(py, "indptr"))?, array(intern!(py, "indices"))?, array(intern!(py, "data"))?))
}

/// Where each row ends, given `indptr`: from 0, never falling, to the number of interactions.
fn checked(indptr: &Integers<'_>, interactions: usize) -> PyResult<Vec<usize>> {
    let mut ends = indptr.iter()?;
    let (mut last, mut rises) = (0, ends.next() == Some(0));
    let ends: Vec<usize> = ends
        .map(|end| {
            rises &= end >= last;
            last = end;
            end as usize
        })
        .collect();
    if rises && last as usize == interactions {
        Ok(ends)
    } else {
        Err(PyValueError::new_err(format!(
            "indptr must rise from 0 to the number of indices, {interactions}"
        )))
    }
}

/// Numbers of each user's features.
fn known(model: &Model<'_>, features: &[Vec<String>], users: usize) -> PyResult<Vec<Vec<u32>>> {
    if features.len() != users {
        return Err(PyValueError::new_err(format!(
            "features of {} users for {users}: give some for each",
            features.len()
        )));
    }
    let of_user = |(user, names): (usize, &Vec<String>)| {
        numbers(model.user_features(), names).map_err(|name| {
            SessionError::new_err(format!("user {user}: no user feature {name:?}: see Model.user_features"))
        })
    };
    features.iter().enumerate().map(of_user).collect()
}
