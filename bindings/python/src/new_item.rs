//! Items that training never saw.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use tinderbox::{FeatureTable, Interaction, Model, Rater, adapt_item, embed_item};

use crate::error::{EmbedError, Raise, feedback_at};
use crate::feedback::value;

/// An item that training never saw, embedded by `Model.embed_item`.
#[pyclass(frozen, name = "NewItem", module = "tinderbox")]
pub(crate) struct PyNewItem {
    /// The id under which sessions know it.
    #[pyo3(get)]
    pub(crate) id: String,
    pub(crate) row: Vec<i8>,
    /// What a row is multiplied by.
    #[pyo3(get)]
    pub(crate) scale: f32,
    /// Rows are of no use to another model.
    pub(crate) content_id: u64,
}

impl PyNewItem {
    pub(crate) fn embed(
        model: &Model<'_>,
        id: String,
        features: &[String],
        raters: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)],
    ) -> PyResult<Self> {
        let features = numbers(model.item_features(), features).map_err(|name| {
            EmbedError::new_err(format!("no item feature {name:?}: see Model.item_features"))
        })?;
        let users: Vec<PyReadonlyArray1<'_, f32>> =
            raters.iter().map(|(user, _)| user.extract()).collect::<PyResult<_>>()?;
        let rater = |((at, (_, said)), user): ((usize, &(_, Bound<'_, PyAny>)), _)| {
            let user: &PyReadonlyArray1<'_, f32> = user;
            let level = Interaction::at(model, 0, value(said)?)
                .map_err(|error| feedback_at(format_args!("rater {at}"), error))?
                .level;
            PyResult::Ok(Rater { user: user.as_slice()?, level })
        };
        let raters: Vec<Rater<'_>> =
            raters.iter().enumerate().zip(&users).map(rater).collect::<PyResult<_>>()?;
        let mut row = vec![0; model.dim()];
        let scale = if raters.is_empty() {
            embed_item(model, &features, &mut row)
        } else {
            adapt_item(model, &features, &raters, &mut vec![0.0; 3 * model.dim()], &mut row)
        };
        let scale = scale.map_err(Raise::raise)?;
        Ok(Self { id, row, scale, content_id: model.content_id() })
    }
}

#[pymethods]
impl PyNewItem {
    /// The row, dim bytes; times the scale it is the embedding.
    #[getter]
    fn row<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i8>> {
        PyArray1::from_slice(py, &self.row)
    }

    fn __repr__(&self) -> String {
        format!("<tinderbox.NewItem {:?}>", self.id)
    }
}

/// The numbers of features, or the first name that the table does not have.
pub(crate) fn numbers<'n>(table: FeatureTable<'_>, names: &'n [String]) -> Result<Vec<u32>, &'n str> {
    names.iter().map(|name| table.find(name).map(|feature| feature as u32).ok_or(name.as_str())).collect()
}
