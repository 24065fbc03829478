//! Which items a ranking may contain, names looked up once.

use std::fmt::Debug;

use pyo3::intern;
use pyo3::prelude::*;
use tinderbox::{FeedbackError, Filter, Model};

use crate::array::Integers;
use crate::error::RankError;
use crate::feedback::id;

/// Which items a ranking may contain: made by `Model.filter` or `Session.filter`, for as many rankings as wanted.
#[pyclass(frozen, name = "Filter", module = "tinderbox")]
pub(crate) struct PyFilter {
    /// Numbers mean other items in another model.
    content_id: u64,
    allow: Option<Vec<u32>>,
    deny: Vec<u32>,
    categories: Vec<u32>,
    keep_support: bool,
}

impl PyFilter {
    /// `item` looks an id up.
    pub(crate) fn new(
        model: &Model<'_>,
        allow: Option<&Bound<'_, PyAny>>,
        deny: Option<&Bound<'_, PyAny>>,
        categories: &[String],
        keep_support: bool,
        item: impl Fn(&str) -> Option<u32>,
    ) -> PyResult<Self> {
        let table = model.categories();
        let category = |name: &String| {
            let unknown = || RankError::new_err(format!("no category {name:?}: see Model.categories"));
            table.find(name).map(|category| category as u32).ok_or_else(unknown)
        };
        Ok(Self {
            content_id: model.content_id(),
            allow: allow.map(|allow| ascending(allow, &item)).transpose()?,
            deny: deny.map_or_else(|| Ok(Vec::new()), |deny| ascending(deny, &item))?,
            categories: categories.iter().map(category).collect::<PyResult<_>>()?,
            keep_support,
        })
    }
}

/// `filter` as the engine wants it; without one, every item but those of the support.
pub(crate) fn of<'f>(filter: Option<&'f Bound<'_, PyFilter>>, model: &Model<'_>) -> PyResult<Filter<'f>> {
    let Some(filter) = filter.map(Bound::get) else { return Ok(Filter::default()) };
    if filter.content_id != model.content_id() {
        return Err(RankError::new_err(
            "the filter was made for another model: make one with this model's filter",
        ));
    }
    Ok(Filter {
        allow: filter.allow.as_deref(),
        deny: &filter.deny,
        categories: &filter.categories,
        keep_support: filter.keep_support,
    })
}

/// Item numbers, sorted and distinct, of ids or of an array of numbers. Numbers beyond the items are refused by the
/// ranking, for it knows what was added.
fn ascending(items: &Bound<'_, PyAny>, item: impl Fn(&str) -> Option<u32>) -> PyResult<Vec<u32>> {
    let unknown =
        |given: &dyn Debug| RankError::new_err(format!("item {given:?}: {}", FeedbackError::UnknownId));
    let mut numbers: Vec<u32> = if items.hasattr(intern!(items.py(), "dtype"))? {
        let numbers = Integers::of(items, "items")?;
        numbers
            .iter()?
            .map(|item| u32::try_from(item).map_err(|_| unknown(&item)))
            .collect::<PyResult<_>>()?
    } else {
        let number = |given: PyResult<Bound<'_, PyAny>>| {
            let given = given?;
            let id = id(&given)?;
            item(id).ok_or_else(|| unknown(&id))
        };
        items.try_iter()?.map(number).collect::<PyResult<_>>()?
    };
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}
