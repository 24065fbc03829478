//! What Python says of items, as interactions.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyString, PyTuple};
use tinderbox::{Feedback, FeedbackError, Interaction, Model};

use crate::array::{Integers, said};
use crate::error::feedback_at;

/// The interactions of `(id, value)` pairs, or of a dict of values by id; `item` looks an id up.
pub(crate) fn interactions(
    model: &Model<'_>,
    feedback: &Bound<'_, PyAny>,
    item: impl Fn(&str) -> Option<u32>,
) -> PyResult<Vec<Interaction>> {
    let mut support = Vec::with_capacity(feedback.len().unwrap_or(0));
    let mut add = |id: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| -> PyResult<()> {
        let id = self::id(id)?;
        let at = |error| feedback_at(format_args!("item {id:?}"), error);
        let number = item(id).ok_or(FeedbackError::UnknownId).map_err(at)?;
        support.push(Interaction::at(model, number, self::value(value)?).map_err(at)?);
        Ok(())
    };
    if let Ok(feedback) = feedback.cast::<PyDict>() {
        feedback.iter().try_for_each(|(id, value)| add(&id, &value))?;
    } else {
        for pair in feedback.try_iter()? {
            let pair = pair?;
            match pair.cast::<PyTuple>() {
                Ok(tuple) if tuple.len() == 2 => {
                    add(&*tuple.get_borrowed_item(0)?, &*tuple.get_borrowed_item(1)?)?
                }
                _ => {
                    let [id, value] = pair.extract::<[Bound<'_, PyAny>; 2]>()?;
                    add(&id, &value)?;
                }
            }
        }
    }
    Ok(support)
}

/// The interactions of item numbers and their values.
pub(crate) fn numbered(
    model: &Model<'_>,
    items: &Bound<'_, PyAny>,
    values: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<Interaction>> {
    let items = Integers::of(items, "items")?;
    let said = said(values, items.len())?;
    let interaction = |(item, value)| {
        interaction(model, item, value).map_err(|error| feedback_at(format_args!("item {item}"), error))
    };
    items.iter()?.zip(said).map(interaction).collect()
}

/// The interaction of an item number, which is not negative: [`Model.numbers`](crate::model::PyModel) gives -1 for an
/// id that is not there. What is beyond the items is refused where the support is adapted to.
pub(crate) fn interaction(
    model: &Model<'_>,
    item: i64,
    value: Feedback,
) -> Result<Interaction, FeedbackError> {
    Interaction::at(model, u32::try_from(item).map_err(|_| FeedbackError::UnknownId)?, value)
}

/// An id: text, for a number would be taken for an id by some and for a place by others.
pub(crate) fn id<'a>(id: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    match id.cast::<PyString>() {
        Ok(id) => id.to_str(),
        Err(_) => Err(PyTypeError::new_err(format!(
            "an id must be a str, not {}: give str(id), or see the functions that take item numbers",
            id.get_type().name()?
        ))),
    }
}

/// True is a like, False a dislike, another number a rating.
pub(crate) fn value(value: &Bound<'_, PyAny>) -> PyResult<Feedback> {
    if let Ok(value) = value.cast::<PyFloat>() {
        return Ok(Feedback::Rating(value.value() as f32));
    }
    if let Ok(like) = value.extract::<bool>() {
        return Ok(if like { Feedback::Like } else { Feedback::Dislike }); // Python's and numpy's
    }
    value
        .extract()
        .map(Feedback::Rating)
        .map_err(|_| PyTypeError::new_err("feedback must be True (like), False (dislike) or a rating"))
}
