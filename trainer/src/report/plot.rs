//! Plots as SVG, wide for a desk and narrow for a phone: curves over k, and methods as labelled points.
//!
//! Colours are those of [`Tint`]; for a dark page a stylesheet replaces them one by one ([`Tint::ALL`]). Curves and
//! points differ in shape as well as in colour. Texts are names of methods and numbers, escaped by the backend.

use std::io;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::label::{Area, place, spread};
use super::{Estimate, size};
use crate::metrics::SHOTS;

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot cannot be drawn")]
pub struct PlotError(#[from] DrawingAreaErrorKind<io::Error>);

/// A colour on light paper and on dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tint {
    pub(super) light: (u8, u8, u8),
    pub(super) dark: (u8, u8, u8),
}

/// Text and axes.
const INK: Tint = Tint { light: (0x3A, 0x40, 0x48), dark: (0xC4, 0xCA, 0xD2) };
/// Lines that guide the eye.
const GRID: Tint = Tint { light: (0xE4, 0xE6, 0xE9), dark: (0x34, 0x39, 0x40) };
/// Names of baselines.
const QUIET: Tint = Tint { light: (0x69, 0x70, 0x78), dark: (0x98, 0xA0, 0xA9) };
/// Baselines.
const MUTED: Tint = Tint { light: (0x8C, 0x93, 0x9B), dark: (0x7F, 0x88, 0x92) };
/// Learners: distinct with any of the common kinds of colour blindness, after Okabe and Ito (2008), at three to one
/// against the paper.
const LEARNERS: [Tint; 5] = [
    Tint { light: (0x00, 0x72, 0xB2), dark: (0x56, 0xB4, 0xE9) },
    Tint { light: (0xD5, 0x5E, 0x00), dark: (0xF2, 0x8E, 0x4B) },
    Tint { light: (0x00, 0x8F, 0x68), dark: (0x3F, 0xC9, 0xA0) },
    Tint { light: (0xA8, 0x3C, 0x83), dark: (0xE0, 0x8F, 0xC4) },
    Tint { light: (0x86, 0x6A, 0x00), dark: (0xE3, 0xC5, 0x4A) },
];

impl Tint {
    /// Every colour of every plot.
    pub(super) const ALL: [Self; 4 + LEARNERS.len()] =
        [INK, GRID, QUIET, MUTED, LEARNERS[0], LEARNERS[1], LEARNERS[2], LEARNERS[3], LEARNERS[4]];

    fn color(self) -> RGBColor {
        let (red, green, blue) = self.light;
        RGBColor(red, green, blue)
    }
}

/// How a method is drawn.
#[derive(Clone, Copy)]
pub(super) enum Look {
    /// In colour and shape by its place among the learners.
    Learner(usize),
    /// Muted.
    Baseline,
}

impl Look {
    fn tint(self) -> Tint {
        match self {
            Self::Learner(place) => LEARNERS[place % LEARNERS.len()],
            Self::Baseline => MUTED,
        }
    }

    fn stroke(self) -> u32 {
        if self.is_learner() { 2 } else { 1 }
    }

    fn is_learner(self) -> bool {
        matches!(self, Self::Learner(_))
    }
}

/// The estimates of a method, one for each tick of the x axis.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) look: Look,
    pub(super) estimates: Vec<Estimate>,
}

/// A method as one point.
pub(super) struct Point<'a> {
    pub(super) name: &'a str,
    pub(super) look: Look,
    pub(super) x: f64,
    pub(super) y: Estimate,
}

/// An axis: what it measures, from where to where, and its ticks.
#[derive(Clone)]
pub(super) struct Axis {
    title: &'static str,
    range: Range<f64>,
    ticks: Vec<f64>,
    text: fn(f64) -> String,
}

impl Axis {
    /// The numbers of interactions, evenly spaced: place in [`SHOTS`].
    pub(super) fn shots() -> Self {
        Self {
            title: "k, interactions of the new user",
            range: -0.2..SHOTS.len() as f64 - 0.8,
            ticks: (0..SHOTS.len()).map(|place| place as f64).collect(),
            text: |place| SHOTS[place as usize % SHOTS.len()].to_string(),
        }
    }

    /// Sizes in bytes as common logarithms, with ticks at powers of ten: two of them at least.
    pub(super) fn bytes(title: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = bounds(values);
        let mut range = low - 0.25..high + 0.25;
        if range.end.floor() - range.start.ceil() < 1.0 {
            range = range.start.floor()..range.start.floor().max(range.end.ceil() - 1.0) + 1.0;
        }
        let first = range.start.ceil();
        let ticks = (0..=(range.end.floor() - first) as u32).map(|tick| first + f64::from(tick)).collect();
        Self {
            title,
            range,
            ticks,
            text: |power| size(10_f64.powf(power).round() as usize).replace(".0 ", " "),
        }
    }

    /// Around `values`, with round ticks.
    pub(super) fn around(
        title: &'static str,
        values: impl Iterator<Item = f64>,
        text: fn(f64) -> String,
    ) -> Self {
        let (low, high) = bounds(values);
        let margin = 0.06 * (high - low).max(1e-9);
        let range = low - margin..high + margin;
        let ticks = RangedCoordf64::from(range.clone()).key_points(TICKS);
        Self { title, range, ticks, text }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, pixels: Pixel) -> i32 {
        RangedCoordf64::from(self.range()).map(value, pixels)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // The backend also asks for ticks between the ticks.
        if matches!(hint.weight(), KeyPointWeight::Bold) { self.ticks.clone() } else { Vec::new() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, tick: &f64) -> String {
        (self.text)(*tick)
    }
}

/// The least and the largest of the finite `values`; 0 and 1 if there are none.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let finite = values.filter(|value| value.is_finite()); // the backend panics on others
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), wider);
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// What a plot is drawn for.
#[derive(Clone, Copy)]
pub(super) enum Screen {
    /// 720 pixels wide.
    Wide,
    /// 340 pixels wide, with texts as large as on the wide one.
    Narrow,
}

impl Screen {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

    fn size(self) -> (u32, u32) {
        match self {
            Self::Wide => (720, 420),
            Self::Narrow => (340, 400),
        }
    }

    /// Most characters of a name.
    fn characters(self) -> usize {
        match self {
            Self::Wide => 26,
            Self::Narrow => 15,
        }
    }
}

/// Height of a label, and the least distance between two in a column.
const LINE: f64 = 15.0;
/// Size of letters; the backend divides it by this factor.
const LETTERS: f64 = 12.0 * 1.24;
/// Width of a letter of the usual sans-serif fonts, on the safe side.
const LETTER_WIDTH: f64 = 7.2;
/// Half the width of a point.
const RADIUS: i32 = 4;
/// Distance between two learners at the same k, so that their error bars stand side by side.
const ASIDE: f64 = 5.0;
/// Most ticks of an axis.
const TICKS: usize = 6;

type Pixel = (i32, i32);

/// A drawing with axes. Everything but the axes is drawn in pixels.
struct Chart<'a> {
    root: DrawingArea<SVGBackend<'a>, Shift>,
    inside: DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>,
}

/// Each method as a curve over k, named at its end.
pub(super) fn curves(curves: &[Curve<'_>], y: &Axis, screen: Screen) -> Result<String, PlotError> {
    let names: Vec<String> = curves.iter().map(|curve| shorten(curve.name, screen.characters())).collect();
    let longest = names.iter().map(|name| width(name)).fold(0.0, f64::max);
    let mut svg = String::new();
    let chart = Chart::new(&mut svg, screen, &Axis::shots(), y, longest as i32 + 30)?;
    let learners = curves.iter().filter(|curve| curve.look.is_learner()).count();
    // What is drawn later lies on top.
    let (top, bottom): (Vec<_>, Vec<_>) = curves.iter().partition(|curve| curve.look.is_learner());
    for curve in bottom.iter().chain(&top) {
        chart.curve(curve, learners)?;
    }
    let ends: Vec<f64> = curves.iter().map(|curve| f64::from(chart.end(curve).1)).collect();
    let (_, top_to_bottom) = chart.inside.get_pixel_range();
    let rows = spread(&ends, LINE, f64::from(top_to_bottom.start), f64::from(top_to_bottom.end));
    for ((curve, name), row) in curves.iter().zip(&names).zip(rows) {
        chart.name_at_end(curve, name, row.round() as i32)?;
    }
    chart.root.present()?;
    drop(chart);
    Ok(svg)
}

/// Each method as a point with its name beside it.
pub(super) fn points(points: &[Point<'_>], x: &Axis, y: &Axis, screen: Screen) -> Result<String, PlotError> {
    let mut svg = String::new();
    let chart = Chart::new(&mut svg, screen, x, y, 24)?;
    let at: Vec<Pixel> = points.iter().map(|point| chart.pixel(point.x, point.y.mean)).collect();
    let mut bars = Vec::new();
    for (point, &at) in points.iter().zip(&at) {
        bars.push(chart.error_bar(point.x, point.y, 0, point.look)?);
        chart.mark(at, point.look)?;
    }
    let names: Vec<String> = points.iter().map(|point| shorten(point.name, screen.characters())).collect();
    let widths: Vec<f64> = names.iter().map(|name| width(name)).collect();
    let centres: Vec<(f64, f64)> = at.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
    let labels = place(&centres, &widths, LINE, f64::from(RADIUS) + 3.0, &bars, chart.frame());
    for (((point, name), label), &(x, _)) in points.iter().zip(&names).zip(labels).zip(&at) {
        // The backend knows widths no better than `width`: the end towards the point is what must be right.
        let (edge, side) = if label.left > f64::from(x) {
            (label.left, HPos::Left)
        } else if label.right < f64::from(x) {
            (label.right, HPos::Right)
        } else {
            ((label.left + label.right) / 2.0, HPos::Center)
        };
        let row = (label.top + label.bottom) / 2.0;
        chart.text(name, (edge.round() as i32, row.round() as i32), side, point.look)?;
    }
    chart.root.present()?;
    drop(chart);
    Ok(svg)
}

impl<'a> Chart<'a> {
    /// Draws the axes, and leaves `right` pixels beside them free.
    fn new(svg: &'a mut String, screen: Screen, x: &Axis, y: &Axis, right: i32) -> Result<Self, PlotError> {
        let root = SVGBackend::with_string(svg, screen.size()).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(LINE * 2.0)
            .margin_right(right)
            .x_label_area_size(LINE * 3.0)
            .y_label_area_size(36)
            .build_cartesian_2d(x.clone(), y.clone())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.color())
            .light_line_style(TRANSPARENT)
            .axis_style(GRID.color())
            .label_style(letters(INK))
            .x_desc(x.title)
            .draw()?;
        let inside = chart.plotting_area().clone();
        drop(chart);
        // Upright above the axis, where a phone has more room than beside it.
        root.draw(&Text::new(y.title, (4, 4), letters(INK)))?;
        Ok(Self { root, inside })
    }

    fn frame(&self) -> Area {
        let (x, y) = self.inside.get_pixel_range();
        Area {
            left: f64::from(x.start),
            top: f64::from(y.start),
            right: f64::from(x.end),
            bottom: f64::from(y.end),
        }
    }

    fn pixel(&self, x: f64, y: f64) -> Pixel {
        self.inside.map_coordinate(&(x, y))
    }

    fn curve(&self, curve: &Curve<'_>, learners: usize) -> Result<(), PlotError> {
        let aside = match curve.look {
            Look::Learner(place) => (ASIDE * (place as f64 - (learners as f64 - 1.0) / 2.0)) as i32,
            Look::Baseline => 0,
        };
        let points = curve.estimates.iter().enumerate();
        let points = points.map(|(place, estimate)| self.pixel(place as f64, estimate.mean));
        let points: Vec<Pixel> = points.map(|(x, y)| (x + aside, y)).collect();
        let line = curve.look.tint().color().stroke_width(curve.look.stroke());
        self.root.draw(&PathElement::new(points.clone(), line))?;
        for ((place, &estimate), &point) in curve.estimates.iter().enumerate().zip(&points) {
            self.error_bar(place as f64, estimate, aside, curve.look)?;
            self.mark(point, curve.look)?;
        }
        Ok(())
    }

    /// One standard error up and down; where the bar lies.
    fn error_bar(&self, x: f64, y: Estimate, aside: i32, look: Look) -> Result<Area, PlotError> {
        let [(x, top), (_, bottom)] = [1.0, -1.0].map(|sign| self.pixel(x, y.mean + sign * y.error));
        let ends = [(x + aside, top), (x + aside, bottom)];
        self.root.draw(&PathElement::new(ends, look.tint().color().stroke_width(1)))?;
        let x = f64::from(x + aside);
        Ok(Area { left: x - 1.0, top: f64::from(top), right: x + 1.0, bottom: f64::from(bottom) })
    }

    fn mark(&self, at: Pixel, look: Look) -> Result<(), PlotError> {
        let (x, y) = at;
        let fill = look.tint().color().filled();
        match look {
            Look::Baseline => self.root.draw(&Circle::new(at, RADIUS - 1, fill))?,
            Look::Learner(place) => match place % 4 {
                0 => self.root.draw(&Circle::new(at, RADIUS, fill))?,
                1 => {
                    let (from, to) = ((x - RADIUS, y - RADIUS), (x + RADIUS, y + RADIUS));
                    self.root.draw(&Rectangle::new([from, to], fill))?;
                }
                2 => self.root.draw(&TriangleMarker::new(at, RADIUS + 2, fill))?,
                _ => {
                    let reach = RADIUS + 2;
                    let corners = vec![(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)];
                    self.root.draw(&Polygon::new(corners, fill))?;
                }
            },
        }
        Ok(())
    }

    fn end(&self, curve: &Curve<'_>) -> Pixel {
        let last = curve.estimates.len().saturating_sub(1);
        self.pixel(last as f64, curve.estimates.get(last).map_or(0.0, |estimate| estimate.mean))
    }

    /// The curve's mark and name to the right of the axes, at the height `row`, and a thin line to the curve's end.
    fn name_at_end(&self, curve: &Curve<'_>, name: &str, row: i32) -> Result<(), PlotError> {
        let (from, level) = self.end(curve);
        let edge = self.inside.get_pixel_range().0.end;
        let line = curve.look.tint().color().mix(0.5).stroke_width(1);
        self.root.draw(&PathElement::new([(from + 8, level), (edge + 6, row)], line))?;
        self.mark((edge + 12, row), curve.look)?;
        self.text(name, (edge + 20, row), HPos::Left, curve.look)
    }

    fn text(&self, text: &str, at: Pixel, side: HPos, look: Look) -> Result<(), PlotError> {
        let tint = if look.is_learner() { INK } else { QUIET };
        self.root.draw(&Text::new(text, at, letters(tint).pos(Pos::new(side, VPos::Center))))?;
        Ok(())
    }
}

fn letters(tint: Tint) -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&tint.color())
}

fn width(name: &str) -> f64 {
    LETTER_WIDTH * name.chars().count() as f64
}

/// A name of at most `most` characters: a longer one loses its middle, for variants differ at the end.
fn shorten(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= most {
        return name.to_owned();
    }
    let tail = (most - 1) / 2;
    let (head, rest) = letters.split_at(most - 1 - tail);
    head.iter().chain(&['…']).chain(&rest[rest.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shorten("user-knn", 15), "user-knn");
        assert_eq!(shorten("maml:first-order:steps=4", 15), "maml:fi…steps=4");
    }

    #[test]
    fn no_value_at_all_still_makes_an_axis() {
        for axis in [
            Axis::bytes("size", std::iter::empty()),
            Axis::around("share", [f64::NAN].into_iter(), |value| value.to_string()),
            Axis::around("share", [0.5, 0.5].into_iter(), |value| value.to_string()),
        ] {
            assert!(axis.range.start < axis.range.end, "{:?}", axis.range);
            let svg = points(&[], &axis, &axis, Screen::Narrow).unwrap();
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        }
    }
}
