//! A model file, opened.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{IntoPyArray, Ix2, PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use self_cell::self_cell;
use tinderbox::{FeatureTable, MappedModel, Model, ModelFile, OpenError};

use crate::array::Lists;
use crate::batch;
use crate::error::{Raise, damaged};
use crate::feedback::id;
use crate::filter::{self, PyFilter};
use crate::new_item::PyNewItem;
use crate::session::PySession;

/// What holds the bytes of a model file.
pub(crate) enum Backing {
    Mapped(MappedModel, PathBuf),
    Read(ModelFile, PathBuf),
    Bytes(PyBackedBytes),
}

impl Backing {
    fn model(&self) -> Result<Model<'_>, OpenError> {
        match self {
            Self::Mapped(file, _) => file.model(),
            Self::Read(file, _) => file.model(),
            Self::Bytes(bytes) => Model::open(bytes),
        }
    }
}

self_cell!(
    /// A model together with its bytes.
    pub(crate) struct OpenModel {
        owner: Backing,
        #[covariant]
        dependent: Model,
    }
);

impl OpenModel {
    pub(crate) fn get(&self) -> &Model<'_> {
        self.borrow_dependent()
    }
}

/// A model file, opened: what it says of itself and of its items, and sessions of users.
///
/// Immutable and safe to share between threads. Items are ordered from the most popular on.
#[pyclass(frozen, name = "Model", module = "tinderbox")]
pub(crate) struct PyModel {
    pub(crate) open: Arc<OpenModel>,
    ids: PyOnceLock<Py<PyTuple>>,
    titles: PyOnceLock<Py<PyTuple>>,
}

impl PyModel {
    fn new(backing: Backing) -> PyResult<Self> {
        let open = OpenModel::try_new(backing, Backing::model).map_err(Raise::raise)?;
        Ok(Self { open: Arc::new(open), ids: PyOnceLock::new(), titles: PyOnceLock::new() })
    }

    fn model(&self) -> &Model<'_> {
        self.open.get()
    }

    fn known(&self, given: &Bound<'_, PyAny>) -> PyResult<usize> {
        let id = id(given)?;
        self.model().item(id).ok_or_else(|| PyKeyError::new_err(id.to_owned()))
    }
}

#[pymethods]
impl PyModel {
    /// Maps the file: microseconds whatever its size, and processes share its pages.
    ///
    /// The file must not be changed in place while it is open; replace it by renaming a new one over it, as the
    /// trainer does. Where that cannot be ensured, use `read`.
    ///
    /// Raises OSError, and OpenError if it is no model file.
    #[classmethod]
    #[expect(unsafe_code, reason = "a mapping is memory that others can change")]
    fn open(_class: &Bound<'_, PyType>, path: PathBuf) -> PyResult<Self> {
        // SAFETY: Python has no way to ask for it: what is said above makes the caller answer for it.
        let file = unsafe { MappedModel::open(&path) }.map_err(Raise::raise)?;
        Self::new(Backing::Mapped(file, path))
    }

    /// Reads the file into memory, where nobody can change it.
    ///
    /// Raises OSError, and OpenError if it is no model file.
    #[classmethod]
    fn read(_class: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let file = py.detach(|| ModelFile::read(&path)).map_err(Raise::raise)?;
        Self::new(Backing::Read(file, path))
    }

    /// Opens the bytes of a model file, without a copy.
    ///
    /// Raises OpenError if they are none.
    #[classmethod]
    fn from_bytes(_class: &Bound<'_, PyType>, data: PyBackedBytes) -> PyResult<Self> {
        Self::new(Backing::Bytes(data))
    }

    /// Checks every byte: checksums, and that every value is what the format says.
    ///
    /// Raises VerifyError.
    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.model().verify()).map_err(Raise::raise)
    }

    /// Number of items.
    #[getter]
    fn items(&self) -> usize {
        self.model().items()
    }

    /// Length of an embedding.
    #[getter]
    fn dim(&self) -> usize {
        self.model().dim()
    }

    /// The adaptation rule: `maml`, `prototypical` or `matching`.
    #[getter]
    fn rule(&self) -> &'static str {
        self.model().rule().name()
    }

    /// Number of inner steps; 0 unless the rule is `maml`.
    #[getter]
    fn steps(&self) -> usize {
        self.model().steps()
    }

    /// Sixteen hex digits: two files with one content id hold the same model.
    #[getter]
    fn content_id(&self) -> String {
        format!("{:016x}", self.model().content_id())
    }

    /// Id of each item; its place is the item's number.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let model = self.model();
        let id = |item| model.id(item).ok_or_else(|| damaged(item));
        let tuple = self.ids.get_or_try_init(py, || {
            let ids: Vec<&str> = (0..model.items()).map(id).collect::<PyResult<_>>()?;
            PyResult::Ok(PyTuple::new(py, ids)?.unbind())
        })?;
        Ok(tuple.bind(py).clone())
    }

    /// Title of each item, None where it has none.
    #[getter]
    fn titles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let model = self.model();
        let tuple = self.titles.get_or_try_init(py, || {
            let titles: Vec<Option<&str>> = (0..model.items()).map(|item| model.title(item)).collect();
            PyResult::Ok(PyTuple::new(py, titles)?.unbind())
        })?;
        Ok(tuple.bind(py).clone())
    }

    /// Names of the categories, for filters.
    #[getter]
    fn categories(&self) -> Vec<&str> {
        let table = self.model().categories();
        (0..table.len()).filter_map(|category| table.name(category)).collect()
    }

    /// Names of the item features, for new items.
    #[getter]
    fn item_features(&self) -> Vec<&str> {
        names(self.model().item_features())
    }

    /// Names of the user features, for sessions.
    #[getter]
    fn user_features(&self) -> Vec<&str> {
        names(self.model().user_features())
    }

    /// Ids of the items to show a new user first, best first.
    #[getter]
    fn onboarding(&self) -> PyResult<Vec<&str>> {
        let model = self.model();
        let id = |&item: &u32| model.id(item as usize).ok_or_else(|| damaged(item as usize));
        model.onboarding().iter().map(id).collect()
    }

    /// The feedback levels, lowest first: rating, and whether it counts as liked.
    #[getter]
    fn levels(&self) -> Vec<(f32, bool)> {
        let levels = self.model().levels();
        (0..levels.len()).map(|level| (levels.value(level), levels.liked(level))).collect()
    }

    /// What the model was made of and how: the trainer's JSON.
    #[getter]
    fn card<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import(intern!(py, "json"))?.call_method1(intern!(py, "loads"), (self.model().card(),))
    }

    /// The embeddings as the engine sees them, items x dim: a new array.
    #[getter]
    fn embeddings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let model = self.model();
        let rows = model.rows().iter().zip(model.scales());
        let values: Vec<f32> = rows
            .flat_map(|(row, &scale)| row.components().map(move |value| scale * f32::from(value)))
            .collect();
        values.into_pyarray(py).reshape([model.items(), model.dim()])
    }

    /// Title of the item, None where it has none. Raises KeyError for an id that the model does not know.
    fn title(&self, id: &Bound<'_, PyAny>) -> PyResult<Option<&str>> {
        Ok(self.model().title(self.known(id)?))
    }

    /// Number of the item. Raises KeyError for an id that the model does not know.
    fn number(&self, id: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.known(id)
    }

    /// Numbers of the items, -1 for ids that the model does not know: as pandas' `Index.get_indexer`.
    fn numbers<'py>(&self, py: Python<'py>, ids: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let model = self.model();
        let number = |given: PyResult<Bound<'_, PyAny>>| {
            Ok(model.item(id(&given?)?).map_or(-1, |item| item as i32)) // fewer than 2^31, says the format
        };
        let numbers: Vec<i32> = ids.try_iter()?.map(number).collect::<PyResult<_>>()?;
        Ok(numbers.into_pyarray(py))
    }

    /// Id of the item of this number. Raises IndexError.
    fn id(&self, number: usize) -> PyResult<&str> {
        let model = self.model();
        if number >= model.items() {
            return Err(PyIndexError::new_err(format!("item {number} of {}", model.items())));
        }
        model.id(number).ok_or_else(|| damaged(number))
    }

    /// A filter for rankings: only these items, none of those, only of these categories (at least one), and whether
    /// items that the user gave feedback on may appear. Items: ids, or an array of numbers.
    #[pyo3(signature = (*, allow=None, deny=None, categories=Vec::new(), keep_support=false))]
    fn filter(
        &self,
        allow: Option<&Bound<'_, PyAny>>,
        deny: Option<&Bound<'_, PyAny>>,
        categories: Vec<String>,
        keep_support: bool,
    ) -> PyResult<PyFilter> {
        let model = self.model();
        let item = |id: &str| model.item(id).map(|item| item as u32);
        PyFilter::new(model, allow, deny, &categories, keep_support, item)
    }

    /// A session: one user. `capacity`: interactions that there is room for at once; it grows when more come.
    #[pyo3(signature = (capacity=32))]
    fn session(slf: Bound<'_, Self>, capacity: usize) -> PyResult<PySession> {
        PySession::new(slf.unbind(), capacity)
    }

    /// Embeds an item that training never saw by its features and, if there are any, by its first raters: pairs of
    /// `Session.user` and what that user said of it. Sessions rank it after `Session.add_items`.
    ///
    /// Raises EmbedError.
    #[pyo3(signature = (id, features, raters=Vec::new()))]
    fn embed_item(
        &self,
        id: String,
        features: Vec<String>,
        raters: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    ) -> PyResult<PyNewItem> {
        PyNewItem::embed(self.model(), id, &features, &raters)
    }

    /// Lists for many users in one call: each is, to the bit, that of `Session.rank_numbers`.
    ///
    /// `feedback`: a scipy CSR matrix, users x items, of ratings (or booleans: likes and dislikes), or its arrays
    /// `(indptr, indices, values)`; values None: likes. Explicit zeros are ratings of 0. `features`: names of user
    /// features for each user. Returns item numbers (int32) and scores (float32), both users x top; where fewer items
    /// exist, the rest is -1 and NaN, and no list is longer than the catalogue. The interpreter is released.
    ///
    /// Raises FeedbackError, SessionError, RankError.
    #[pyo3(signature = (feedback, top=10, filter=None, *, features=None, threads=1))]
    fn rank_batch<'py>(
        &self,
        py: Python<'py>,
        feedback: &Bound<'py, PyAny>,
        top: usize,
        filter: Option<&Bound<'py, PyFilter>>,
        features: Option<Vec<Vec<String>>>,
        threads: usize,
    ) -> PyResult<Lists<'py, Ix2>> {
        let model = self.model();
        let tasks = batch::Tasks::new(model, feedback, features)?;
        let filter = filter::of(filter, model)?;
        let top = top.min(model.items());
        let lists = py.detach(|| tasks.rank(model, &filter, top, threads))?;
        let shape = [tasks.len(), top];
        Ok((lists.items.into_pyarray(py).reshape(shape)?, lists.scores.into_pyarray(py).reshape(shape)?))
    }

    fn __len__(&self) -> usize {
        self.model().items()
    }

    fn __contains__(&self, id: &str) -> bool {
        self.model().item(id).is_some()
    }

    fn __repr__(&self) -> String {
        let model = self.model();
        format!("<tinderbox.Model {}: {} items, dim {}>", model.rule().name(), model.items(), model.dim())
    }

    /// Pickled as its path, or as its bytes if it was made of bytes.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, class) = (slf.py(), slf.get_type());
        Ok(match slf.get().open.borrow_owner() {
            Backing::Mapped(_, path) => (class.getattr("open")?, PyTuple::new(py, [path])?),
            Backing::Read(_, path) => (class.getattr("read")?, PyTuple::new(py, [path])?),
            Backing::Bytes(bytes) => (class.getattr("from_bytes")?, PyTuple::new(py, [bytes])?),
        })
    }
}

fn names<'a>(table: FeatureTable<'a>) -> Vec<&'a str> {
    (0..table.len()).filter_map(|feature| table.name(feature)).collect()
}
