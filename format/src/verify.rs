//! The whole-file check.

use wide::{i8x16, i16x16, i32x8};

use crate::checksum::{content_id, crc32c};
use crate::error::VerifyError;
use crate::model::Model;
use crate::rows::{BLOCK, Row, Rows};
use crate::section::{Kind, first_not_finite};

/// What is allowed on top of the rounding to int8, for unit norms that were computed in f32.
const NORM_SLACK: f64 = 1e-4;

pub(crate) fn verify(model: &Model<'_>) -> Result<(), VerifyError> {
    verify_checksums(model)?;
    verify_rows(model)?;
    model.ids().verify()?;
    model.ids().verify_order(|position| model.ordered(position))?;
    model.titles().verify()?;
    model.categories().verify()?;
    model.item_features().verify()?;
    model.user_features().verify()?;
    verify_onboarding(model.onboarding())?;
    if let Some(sketch) = model.sketch() {
        sketch.verify()?;
    }
    match model.card() {
        Some(card) if card.starts_with('{') => Ok(()),
        _ => Err(refuse(Kind::Card, 0, "a JSON object in UTF-8")),
    }
}

fn verify_checksums(model: &Model<'_>) -> Result<(), VerifyError> {
    for section in model.sections() {
        let found = crc32c(&[section.of(model.bytes()).unwrap_or(&[])]);
        if found != section.crc {
            return Err(VerifyError::Checksum { section: section.name(), expected: section.crc, found });
        }
    }
    let start = model.sections().next().map_or(0, |section| section.offset as usize);
    let found = content_id(model.bytes().get(start..).unwrap_or(&[]));
    let expected = model.content_id();
    if found == expected { Ok(()) } else { Err(VerifyError::ContentId { expected, found }) }
}

/// Every row is int8 without -128 and has unit norm within rounding.
///
/// Rounding moves a value by at most half a scale, so the norm by at most scale sqrt(dim) / 2; a scale
/// above 1 / 127 leaves part of the int8 range unused and is given no more room than that.
fn verify_rows(model: &Model<'_>) -> Result<(), VerifyError> {
    let (dim, items, rows) = (model.dim(), model.items(), model.rows());
    let half_root = ((dim as u64) << 40).isqrt() as f64 / f64::from(1 << 21); // sqrt(dim) / 2; no sqrt in core
    let blocks = rows.blocks().chunks_exact(BLOCK * dim).zip(model.scales().chunks(BLOCK));
    for (first, (block, scales)) in (0..).step_by(BLOCK).zip(blocks) {
        let Some(squares) = squares(block) else { return Err(refuse_minimum(Kind::Rows, rows)) };
        for (item, (&scale, square)) in (first..).zip(scales.iter().zip(squares)) {
            if !(scale.is_finite() && scale > 0.0) {
                return Err(refuse(Kind::Scales, item, "finite and above 0"));
            }
            let scale = f64::from(scale);
            let norm_square = scale * scale * f64::from(square);
            let room = half_root * scale.min(1.0 / 127.0) + NORM_SLACK; // at most 0.13
            if !((1.0 - room) * (1.0 - room)..=(1.0 + room) * (1.0 + room)).contains(&norm_square) {
                return Err(refuse(Kind::Rows, item, "of unit norm"));
            }
        }
    }
    verify_padding(Kind::Rows, rows, items)
}

/// Behind the last item its block is zero.
pub(crate) fn verify_padding(kind: Kind, rows: Rows<'_>, items: usize) -> Result<(), VerifyError> {
    let is_zero =
        |place: &usize| rows.row(*place).is_some_and(|row| row.components().all(|value| value == 0));
    match (items..items.next_multiple_of(BLOCK)).find(|place| !is_zero(place)) {
        Some(place) => Err(refuse(kind, place, "zero behind the last item")),
        None => Ok(()),
    }
}

/// The squares of the lengths of a block's rows, below 2^25; `None` where a value is -128.
///
/// In lanes by hand: left alone, the compiler takes twice the instructions for it.
fn squares(block: &[i8]) -> Option<[i32; BLOCK]> {
    let mut squares = i32x8::ZERO;
    let mut minima = i8x16::ZERO;
    for &parts in block.as_chunks::<16>().0 {
        let values = i8x16::from(parts);
        minima |= values.simd_eq(i8x16::splat(i8::MIN));
        let values = i16x16::from_i8x16(values);
        squares += values.dot(values);
    }
    let [a, b, c, d, e, f, g, h] = squares.to_array();
    (minima == i8x16::ZERO).then_some([a + b, c + d, e + f, g + h])
}

/// Quadratic, which the limit on the number of onboarding items keeps harmless: there is no memory to sort in.
fn verify_onboarding(items: &[u32]) -> Result<(), VerifyError> {
    let is_repeated = |&index: &usize| items.iter().take(index).any(|item| Some(item) == items.get(index));
    match (0..items.len()).find(is_repeated) {
        Some(index) => Err(refuse(Kind::Onboarding, index, "distinct from those before")),
        None => Ok(()),
    }
}

pub(crate) fn all_finite(kind: Kind, values: &[f32]) -> Result<(), VerifyError> {
    match first_not_finite(values) {
        Some(index) => Err(refuse(kind, index, "finite")),
        None => Ok(()),
    }
}

/// Of rows that hold a -128.
pub(crate) fn refuse_minimum(kind: Kind, rows: Rows<'_>) -> VerifyError {
    let has_minimum = |row: Row<'_>| row.components().any(|value| value == i8::MIN);
    refuse(kind, rows.iter().position(has_minimum).unwrap_or_default(), "from -127 to 127")
}

pub(crate) fn refuse(kind: Kind, index: usize, expected: &'static str) -> VerifyError {
    VerifyError::Value { section: kind.name(), index, expected }
}
