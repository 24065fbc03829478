//! Numbers and feedback out of numpy arrays: read in place where the type fits, else from a copy.

use numpy::{
    PyArray, PyArray1, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use tinderbox::Feedback;

use crate::feedback;

/// Item numbers and their scores, in two arrays of one shape.
pub(crate) type Lists<'py, D> = (Bound<'py, PyArray<i32, D>>, Bound<'py, PyArray<f32, D>>);

/// Item numbers, or the row ends of a sparse matrix.
pub(crate) enum Integers<'py> {
    Short(PyReadonlyArray1<'py, i32>),
    Long(PyReadonlyArray1<'py, i64>),
}

impl<'py> Integers<'py> {
    /// `what` names the array in errors.
    pub(crate) fn of(array: &Bound<'py, PyAny>, what: &str) -> PyResult<Self> {
        if let Some(array) = in_place(array) {
            return Ok(Self::Short(array));
        }
        if let Some(array) = in_place(array) {
            return Ok(Self::Long(array));
        }
        let (array, kind) = flat(array, what)?;
        if matches!(kind, b'i' | b'u') || array.len()? == 0 {
            Ok(Self::Long(copied(&array, "int64")?))
        } else {
            Err(PyTypeError::new_err(format!("{what} must be whole numbers")))
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Short(array) => array.len(),
            Self::Long(array) => array.len(),
        }
    }

    pub(crate) fn iter(&self) -> PyResult<impl Iterator<Item = i64>> {
        let (short, long): (&[i32], &[i64]) = match self {
            Self::Short(array) => (array.as_slice()?, &[]),
            Self::Long(array) => (&[], array.as_slice()?),
        };
        Ok(short.iter().map(|&value| i64::from(value)).chain(long.iter().copied()))
    }
}

/// What was said of each of `len` items. None: likes; booleans: likes and dislikes; other numbers: ratings; a list, or
/// an array of objects, may have both.
pub(crate) fn said(array: Option<&Bound<'_, PyAny>>, len: usize) -> PyResult<Vec<Feedback>> {
    let Some(array) = array.filter(|array| !array.is_none()) else { return Ok(vec![Feedback::Like; len]) };
    let values = match in_place::<f32>(array) {
        Some(ratings) => ratings.as_slice()?.iter().map(|&value| Feedback::Rating(value)).collect(),
        None if array.hasattr(intern!(array.py(), "dtype"))? => cast(array)?,
        None => mixed(array)?,
    };
    if values.len() == len {
        Ok(values)
    } else {
        Err(PyValueError::new_err(format!("{} values for {len} items: give one for each", values.len())))
    }
}

fn cast(array: &Bound<'_, PyAny>) -> PyResult<Vec<Feedback>> {
    let (array, kind) = flat(array, "values")?;
    let plain = |&like: &bool| if like { Feedback::Like } else { Feedback::Dislike };
    Ok(match kind {
        b'b' => copied(&array, "bool")?.as_slice()?.iter().map(plain).collect(),
        b'f' | b'i' | b'u' => {
            copied(&array, "float32")?.as_slice()?.iter().map(|&value| Feedback::Rating(value)).collect()
        }
        _ => mixed(&array)?,
    })
}

fn mixed(values: &Bound<'_, PyAny>) -> PyResult<Vec<Feedback>> {
    values.try_iter()?.map(|value| feedback::value(&value?)).collect()
}

fn in_place<'py, T: numpy::Element>(array: &Bound<'py, PyAny>) -> Option<PyReadonlyArray1<'py, T>> {
    let array = array.cast::<PyArray1<T>>().ok().filter(|array| array.is_contiguous())?;
    array.try_readonly().ok()
}

/// A numpy array of one dimension, and the kind of its elements.
fn flat<'py>(array: &Bound<'py, PyAny>, what: &str) -> PyResult<(Bound<'py, PyAny>, u8)> {
    let py = array.py();
    let array = py.import(intern!(py, "numpy"))?.call_method1(intern!(py, "asarray"), (array,))?;
    let untyped = array.cast::<numpy::PyUntypedArray>()?;
    let (dimensions, kind) = (untyped.ndim(), untyped.dtype().kind());
    if dimensions == 1 {
        Ok((array, kind))
    } else {
        Err(PyValueError::new_err(format!("{what} must have one dimension, not {dimensions}")))
    }
}

fn copied<'py, T: numpy::Element>(
    array: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<PyReadonlyArray1<'py, T>> {
    let py = array.py();
    let numpy = py.import(intern!(py, "numpy"))?;
    let array = numpy.call_method1(intern!(py, "ascontiguousarray"), (array, name))?;
    array.extract::<PyReadonlyArray1<'py, T>>()
}
