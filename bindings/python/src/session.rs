//! One user: feedback in, ranking out.

use std::sync::Arc;

use numpy::{IntoPyArray, Ix1, PyArray1};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use self_cell::{MutBorrow, self_cell};
use tinderbox::{Interaction, Model, NewItems, Ranked, Reason, Session};

use crate::array::Lists;
use crate::error::{Raise, SessionError, damaged};
use crate::feedback;
use crate::filter::{self, PyFilter};
use crate::model::{OpenModel, PyModel};
use crate::new_item::{PyNewItem, numbers};

/// What a session borrows.
struct Memory {
    open: Arc<OpenModel>,
    scratch: MutBorrow<Vec<f32>>,
    added: Arc<Added>,
}

/// Items that were added at run time, in the order of their numbers.
#[derive(Default)]
struct Added {
    ids: Vec<String>,
    /// items x dim
    rows: Vec<i8>,
    scales: Vec<f32>,
}

self_cell!(
    /// A session together with its memory.
    struct OpenSession {
        owner: Memory,
        #[covariant]
        dependent: Session,
    }
);

impl OpenSession {
    fn make(open: Arc<OpenModel>, capacity: usize, added: Arc<Added>, features: &[u32]) -> PyResult<Self> {
        let len = Session::scratch_len(open.get(), capacity);
        let mut scratch: Vec<f32> = Vec::new();
        // A capacity that no memory holds is the caller's mistake, not the end of the process.
        scratch
            .try_reserve_exact(len)
            .map_err(|_| PyValueError::new_err(format!("no memory for {capacity} interactions")))?;
        scratch.resize(len, 0.0);
        let memory = Memory { open, scratch: MutBorrow::new(scratch), added };
        Self::try_new(memory, |memory| {
            let mut session = Session::new(*memory.open.get(), memory.scratch.borrow_mut())?;
            session.add_items(NewItems { rows: &memory.added.rows, scales: &memory.added.scales })?;
            session.set_features(features)?;
            Ok(session)
        })
        .map_err(<tinderbox::SessionError as Raise>::raise)
    }
}

/// One user's adapted state.
///
/// Nothing here needs to be saved: keep the list of what the user said, adapting to all of it again takes a
/// microsecond. A new session is at the prior: it ranks for a user of whom nothing is known. A session belongs to one
/// thread at a time; where two use it at once, one gets a RuntimeError.
#[pyclass(name = "Session", module = "tinderbox")]
pub(crate) struct PySession {
    model: Py<PyModel>,
    open: OpenSession,
    capacity: usize,
    features: Vec<u32>,
}

/// From this many bytes of rows on, a pass over them takes long enough to let other threads run meanwhile.
const LONG_PASS: usize = 1 << 21;

impl PySession {
    pub(crate) fn new(model: Py<PyModel>, capacity: usize) -> PyResult<Self> {
        let open = OpenSession::make(model.get().open.clone(), capacity, Arc::default(), &[])?;
        Ok(Self { model, open, capacity, features: Vec::new() })
    }

    fn session(&self) -> &Session<'_> {
        self.open.borrow_dependent()
    }

    fn engine_model(&self) -> &Model<'_> {
        self.model.get().open.get()
    }

    fn added(&self) -> &Arc<Added> {
        &self.open.borrow_owner().added
    }

    /// Goes on with another session, once it has adapted: what is refused leaves the present one.
    fn remake(&mut self, capacity: usize, added: Arc<Added>, support: &[Interaction]) -> PyResult<()> {
        let mut open = OpenSession::make(self.model.get().open.clone(), capacity, added, &self.features)?;
        open.with_dependent_mut(|_, session| session.adapt(support)).map_err(Raise::raise)?;
        (self.open, self.capacity) = (open, capacity);
        Ok(())
    }

    fn adapt_to(&mut self, support: &[Interaction]) -> PyResult<()> {
        if support.len() > self.capacity {
            return self.remake(support.len().next_power_of_two(), self.added().clone(), support);
        }
        self.open.with_dependent_mut(|_, session| session.adapt(support)).map_err(Raise::raise)
    }

    fn number(&self, id: &str) -> Option<u32> {
        let model = self.engine_model();
        let new = || self.added().ids.iter().position(|new| new == id).map(|at| model.items() + at);
        model.item(id).or_else(new).map(|item| item as u32)
    }

    fn known(&self, given: &Bound<'_, PyAny>) -> PyResult<u32> {
        let id = feedback::id(given)?;
        self.number(id).ok_or_else(|| PyKeyError::new_err(id.to_owned()))
    }

    fn id(&self, item: u32) -> PyResult<&str> {
        let model = self.engine_model();
        let id = match (item as usize).checked_sub(model.items()) {
            None => model.id(item as usize),
            Some(new) => self.added().ids.get(new).map(String::as_str),
        };
        id.ok_or_else(|| damaged(item as usize))
    }

    fn named(&self, list: &[Ranked]) -> PyResult<Vec<(&str, f32)>> {
        list.iter().map(|ranked| Ok((self.id(ranked.item)?, ranked.score))).collect()
    }

    /// Memory for a list: no longer than there are items.
    fn room(&self, top: usize) -> Vec<Ranked> {
        vec![Ranked::default(); top.min(self.engine_model().items() + self.added().scales.len())]
    }

    /// The best items, in memory of their own; long passes release the interpreter.
    fn best(
        &self,
        py: Python<'_>,
        top: usize,
        filter: Option<&Bound<'_, PyFilter>>,
    ) -> PyResult<Vec<Ranked>> {
        let filter = filter::of(filter, self.engine_model())?;
        let (session, mut out) = (self.session(), self.room(top));
        let len =
            self.pass(py, || session.rank(&filter, &mut out).map(<[Ranked]>::len)).map_err(Raise::raise)?;
        out.truncate(len);
        Ok(out)
    }

    fn pass<T: Send>(&self, py: Python<'_>, pass: impl FnOnce() -> T + Send) -> T {
        if self.engine_model().rows().blocks().len() < LONG_PASS { pass() } else { py.detach(pass) }
    }
}

#[pymethods]
impl PySession {
    /// The model that the session ranks with.
    #[getter]
    fn model(&self, py: Python<'_>) -> Py<PyModel> {
        self.model.clone_ref(py)
    }

    /// The adapted user embedding, dim floats; for the rule `matching`, the prior and the user's features.
    #[getter]
    fn user<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, self.session().user())
    }

    /// Adapts from the prior to all that the user said: pairs of id and value, or a dict of values by id. True is a
    /// like, False a dislike, another number a rating on the scale that the model was trained on. What the session had
    /// adapted to before is forgotten.
    ///
    /// Raises FeedbackError; the session is then as it was.
    fn adapt(&mut self, feedback: &Bound<'_, PyAny>) -> PyResult<()> {
        let support = feedback::interactions(self.engine_model(), feedback, |id| self.number(id))?;
        self.adapt_to(&support)
    }

    /// `adapt` by item numbers: an array of them, and one of ratings or of booleans; None: likes.
    ///
    /// Raises FeedbackError, and SessionError for a number beyond the items; the session is then as it was.
    #[pyo3(signature = (items, values=None))]
    fn adapt_numbers(&mut self, items: &Bound<'_, PyAny>, values: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let support = feedback::numbered(self.engine_model(), items, values)?;
        self.adapt_to(&support)
    }

    /// Says what is known of the user beside feedback: names of `Model.user_features`. Replaces what was said before.
    ///
    /// Raises SessionError for a feature that the model does not have.
    fn set_features(&mut self, features: Vec<String>) -> PyResult<()> {
        let numbers = numbers(self.engine_model().user_features(), &features).map_err(|name| {
            SessionError::new_err(format!("no user feature {name:?}: see Model.user_features"))
        })?;
        self.open.with_dependent_mut(|_, session| session.set_features(&numbers)).map_err(Raise::raise)?;
        self.features = numbers;
        Ok(())
    }

    /// Ranks these items together with the catalogue from now on, in place of what was added before; forgets the
    /// support. Their numbers follow those of the catalogue, in the order given.
    ///
    /// Raises SessionError for items of another model, and for an id that is taken.
    fn add_items(&mut self, items: Vec<Bound<'_, PyNewItem>>) -> PyResult<()> {
        let model = self.engine_model();
        let mut added = Added::default();
        for item in items.iter().map(Bound::get) {
            if item.content_id != model.content_id() {
                return Err(SessionError::new_err(format!(
                    "item {:?} was embedded for another model",
                    item.id
                )));
            }
            if model.item(&item.id).is_some() || added.ids.contains(&item.id) {
                return Err(SessionError::new_err(format!("item {:?}: the id is taken", item.id)));
            }
            added.ids.push(item.id.clone());
            added.rows.extend_from_slice(&item.row);
            added.scales.push(item.scale);
        }
        self.remake(self.capacity, Arc::new(added), &[])
    }

    /// As `Model.filter`, for items that were added too.
    #[pyo3(signature = (*, allow=None, deny=None, categories=Vec::new(), keep_support=false))]
    fn filter(
        &self,
        allow: Option<&Bound<'_, PyAny>>,
        deny: Option<&Bound<'_, PyAny>>,
        categories: Vec<String>,
        keep_support: bool,
    ) -> PyResult<PyFilter> {
        PyFilter::new(self.engine_model(), allow, deny, &categories, keep_support, |id| self.number(id))
    }

    /// The best items and their scores, best first, of the whole catalogue and exactly; ties go to the more popular
    /// item. What the user gave feedback on is left out, unless the filter keeps it.
    #[pyo3(signature = (top=10, filter=None))]
    fn rank(
        &self,
        py: Python<'_>,
        top: usize,
        filter: Option<&Bound<'_, PyFilter>>,
    ) -> PyResult<Vec<(&str, f32)>> {
        self.named(&self.best(py, top, filter)?)
    }

    /// `rank` by item numbers (int32) and scores (float32), in two arrays.
    #[pyo3(signature = (top=10, filter=None))]
    fn rank_numbers<'py>(
        &self,
        py: Python<'py>,
        top: usize,
        filter: Option<&Bound<'py, PyFilter>>,
    ) -> PyResult<Lists<'py, Ix1>> {
        let list = self.best(py, top, filter)?;
        let items: Vec<i32> = list.iter().map(|ranked| ranked.item as i32).collect();
        let scores: Vec<f32> = list.iter().map(|ranked| ranked.score).collect();
        Ok((items.into_pyarray(py), scores.into_pyarray(py)))
    }

    /// The best `candidates` in an order that trades relevance for variety, and of these the first `top`: maximal
    /// marginal relevance (Carbonell and Goldstein 1998). `diversity` 0 is the plain ranking, 1 ignores the user after
    /// the first place. Scores are those of the plain ranking. Without a number of candidates there are 50, or `top`.
    #[pyo3(signature = (top=10, diversity=0.3, candidates=None, filter=None))]
    fn rank_diverse(
        &self,
        py: Python<'_>,
        top: usize,
        diversity: f32,
        candidates: Option<usize>,
        filter: Option<&Bound<'_, PyFilter>>,
    ) -> PyResult<Vec<(&str, f32)>> {
        let model = self.engine_model();
        let filter = filter::of(filter, model)?;
        let (session, mut pool) = (self.session(), self.room(candidates.unwrap_or(top.max(50))));
        let mut scratch = vec![0.0; Session::diverse_scratch_len(model, pool.len())];
        let list = self.pass(py, || session.rank_diverse(&filter, diversity, top, &mut scratch, &mut pool));
        self.named(list.map_err(Raise::raise)?)
    }

    /// The items nearest to this one by cosine, whatever the user thinks of it. Raises KeyError for an unknown id.
    #[pyo3(signature = (id, top=10, filter=None))]
    fn similar(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        top: usize,
        filter: Option<&Bound<'_, PyFilter>>,
    ) -> PyResult<Vec<(&str, f32)>> {
        let filter = filter::of(filter, self.engine_model())?;
        let (session, item, mut out) = (self.session(), self.known(id)?, self.room(top));
        let list = self.pass(py, || session.similar(item, &filter, &mut out));
        self.named(list.map_err(Raise::raise)?)
    }

    /// The score of one item: the same bits as in a ranking. Raises KeyError for an unknown id.
    fn score(&self, id: &Bound<'_, PyAny>) -> PyResult<f32> {
        self.session().score(self.known(id)?).map_err(Raise::raise)
    }

    /// Which of the user's feedback raised the item, strongest first: the item that it was on, and how much lower the
    /// score would be without it. Raises KeyError for an unknown id.
    #[pyo3(signature = (id, top=3))]
    fn explain(&mut self, id: &Bound<'_, PyAny>, top: usize) -> PyResult<Vec<(&str, f32)>> {
        let item = self.known(id)?;
        let mut out = vec![Reason::default(); top.min(self.capacity)];
        let reasons =
            self.open.with_dependent_mut(|_, session| session.explain(item, &mut out).map(<[Reason]>::len));
        out.truncate(reasons.map_err(Raise::raise)?);
        out.iter().map(|reason| Ok((self.id(reason.item)?, reason.effect))).collect()
    }
}
