//! Plots as SVG, wide for a desk and narrow for a phone: named curves, labelled points, and ranges in rows.
//!
//! For a dark page the stylesheet replaces the colours one by one. Curves and points differ in shape as well as in
//! colour. Texts are escaped by the backend.

use std::io;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::label::{Area, place, spread};

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot cannot be drawn")]
pub struct PlotError(#[from] DrawingAreaErrorKind<io::Error>);

/// A colour on light paper and on dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tint {
    pub(crate) light: (u8, u8, u8),
    pub(crate) dark: (u8, u8, u8),
}

/// Text and axes.
const INK: Tint = Tint { light: (0x3A, 0x40, 0x48), dark: (0xC4, 0xCA, 0xD2) };
/// Lines that guide the eye.
const GRID: Tint = Tint { light: (0xE4, 0xE6, 0xE9), dark: (0x34, 0x39, 0x40) };
/// Names of what is muted.
const QUIET: Tint = Tint { light: (0x69, 0x70, 0x78), dark: (0x98, 0xA0, 0xA9) };
/// Series that others are compared with.
const MUTED: Tint = Tint { light: (0x8C, 0x93, 0x9B), dark: (0x7F, 0x88, 0x92) };
/// The other series: distinct with any of the common kinds of colour blindness, after Okabe and Ito (2008), at three
/// to one against the paper.
const VIVID: [Tint; 5] = [
    Tint { light: (0x00, 0x72, 0xB2), dark: (0x56, 0xB4, 0xE9) },
    Tint { light: (0xD5, 0x5E, 0x00), dark: (0xF2, 0x8E, 0x4B) },
    Tint { light: (0x00, 0x8F, 0x68), dark: (0x3F, 0xC9, 0xA0) },
    Tint { light: (0xA8, 0x3C, 0x83), dark: (0xE0, 0x8F, 0xC4) },
    Tint { light: (0x86, 0x6A, 0x00), dark: (0xE3, 0xC5, 0x4A) },
];

impl Tint {
    /// Every colour of every plot.
    pub(crate) const ALL: [Self; 4 + VIVID.len()] =
        [INK, GRID, QUIET, MUTED, VIVID[0], VIVID[1], VIVID[2], VIVID[3], VIVID[4]];

    fn color(self) -> RGBColor {
        let (red, green, blue) = self.light;
        RGBColor(red, green, blue)
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    /// In colour and shape by its place among the series that matter.
    Vivid(usize),
    /// In grey: what the others are compared with.
    Muted,
}

impl Look {
    fn tint(self) -> Tint {
        match self {
            Self::Vivid(place) => VIVID[place % VIVID.len()],
            Self::Muted => MUTED,
        }
    }

    fn stroke(self) -> u32 {
        if self.is_vivid() { 2 } else { 1 }
    }

    fn is_vivid(self) -> bool {
        matches!(self, Self::Vivid(_))
    }
}

/// A value and half the length of its error bar; no bar at 0.
#[derive(Clone, Copy, Debug)]
pub struct Datum {
    /// Along the x axis.
    pub x: f64,
    /// Along the y axis.
    pub y: f64,
    /// Along the y axis, up and down.
    pub error: f64,
}

/// A series of values, from left to right.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    /// Stands at its end.
    pub name: &'a str,
    /// How it is drawn.
    pub look: Look,
    /// Its values.
    pub data: Vec<Datum>,
}

/// One value with a name.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Stands beside it.
    pub name: &'a str,
    /// How it is drawn.
    pub look: Look,
    /// Where it is drawn.
    pub at: Datum,
}

/// The quantiles of one distribution, in a row of their own.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Stands to the left.
    pub name: &'a str,
    /// Stands to the right: the first quantile in words.
    pub text: String,
    /// How it is drawn.
    pub look: Look,
    /// Along the x axis, ascending: the first is marked as a point, the others as strokes.
    pub quantiles: Vec<f64>,
}

/// An axis: what it measures, from where to where, and its ticks.
#[derive(Clone, Debug)]
pub struct Axis {
    title: String,
    range: Range<f64>,
    /// Places and texts.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Evenly spaced names: their places are 0, 1, 2 and so on.
    pub fn places(title: &str, names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(place, name)| (place as f64, name.clone()));
        Self { title: title.to_owned(), range: -0.2..names.len().max(1) as f64 - 0.8, ticks: ticks.collect() }
    }

    /// Around `values`, which are common logarithms, with ticks at powers of ten: two of them at least. `text` gets
    /// the number itself.
    pub fn powers(title: &str, values: impl Iterator<Item = f64>, text: impl Fn(f64) -> String) -> Self {
        let (low, high) = bounds(values);
        let mut range = low - 0.25..high + 0.25;
        if range.end.floor() - range.start.ceil() < 1.0 {
            range = range.start.floor()..range.start.floor().max(range.end.ceil() - 1.0) + 1.0;
        }
        let first = range.start.ceil();
        let ticks = (0..=(range.end.floor() - first) as u32).map(|tick| first + f64::from(tick));
        let ticks = ticks.map(|power| (power, text(10_f64.powf(power)))).collect();
        Self { title: title.to_owned(), range, ticks }
    }

    /// Around `values`, with round ticks.
    pub fn around(title: &str, values: impl Iterator<Item = f64>, text: impl Fn(f64) -> String) -> Self {
        let (low, high) = bounds(values);
        let margin = 0.06 * (high - low).max(1e-9);
        let range = low - margin..high + margin;
        let ticks = RangedCoordf64::from(range.clone()).key_points(TICKS);
        let ticks = ticks.into_iter().map(|tick| (tick, text(tick))).collect();
        Self { title: title.to_owned(), range, ticks }
    }

    /// With so few of the ticks that their texts stand apart on an axis of this many pixels.
    fn thinned(&self, pixels: f64) -> Self {
        let [Some(first), Some(second)] = [0, 1].map(|at| self.ticks.get(at).map(|(place, _)| place)) else {
            return self.clone();
        };
        let apart = (second - first) / (self.range.end - self.range.start) * pixels;
        let step = ((self.width() + GAP) / apart).ceil().max(1.0) as usize;
        Self { ticks: self.ticks.iter().step_by(step).cloned().collect(), ..self.clone() }
    }

    /// Width of the widest tick's text.
    fn width(&self) -> f64 {
        self.ticks.iter().map(|(_, text)| width(text)).fold(0.0, f64::max)
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
        if matches!(hint.weight(), KeyPointWeight::Bold) {
            self.ticks.iter().map(|(place, _)| *place).collect()
        } else {
            Vec::new()
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, tick: &f64) -> String {
        let text = self.ticks.iter().find(|(place, _)| place == tick).map(|(_, text)| text.clone());
        text.unwrap_or_default()
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
#[derive(Clone, Copy, Debug)]
pub enum Screen {
    /// 720 pixels wide.
    Wide,
    /// 340 pixels wide, with texts as large as on the wide one.
    Narrow,
}

impl Screen {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

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
/// Distance between two vivid series at the same x, so that their error bars stand side by side.
const ASIDE: f64 = 5.0;
/// Least distance between the texts of two ticks.
const GAP: f64 = 6.0;
/// Height of a row of [`ranges`].
const ROW: u32 = 24;
/// Most ticks of an axis.
const TICKS: usize = 6;

type Pixel = (i32, i32);

/// A drawing with axes. Everything but the axes is drawn in pixels.
struct Chart<'a> {
    root: DrawingArea<SVGBackend<'a>, Shift>,
    inside: DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>,
}

/// Each series as a curve, named at its end.
///
/// # Errors
/// [`PlotError`], in theory: plots are drawn into memory.
pub fn curves(curves: &[Curve<'_>], x: &Axis, y: &Axis, screen: Screen) -> Result<String, PlotError> {
    let names: Vec<String> = curves.iter().map(|curve| shorten(curve.name, screen.characters())).collect();
    let longest = names.iter().map(|name| width(name)).fold(0.0, f64::max);
    let mut svg = String::new();
    let chart = Chart::new(&mut svg, screen.size(), x, y, longest as i32 + 30)?;
    let vivid = curves.iter().filter(|curve| curve.look.is_vivid()).count();
    // What is drawn later lies on top.
    let (top, bottom): (Vec<_>, Vec<_>) = curves.iter().partition(|curve| curve.look.is_vivid());
    for curve in bottom.iter().chain(&top) {
        chart.curve(curve, vivid)?;
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

/// Each distribution as a row: its name, a line over its quantiles, and its text.
///
/// # Errors
/// As [`curves`].
pub fn ranges(rows: &[Row<'_>], x: &Axis, screen: Screen) -> Result<String, PlotError> {
    let (characters, (across, _)) = (screen.characters(), screen.size());
    let names = rows.iter().enumerate().map(|(place, row)| (place as f64, shorten(row.name, characters)));
    let y = Axis {
        title: String::new(),
        range: rows.len() as f64 - 0.4..-0.6, // the first is at the top
        ticks: names.collect(),
    };
    let height = ROW * rows.len() as u32 + 4 * LINE as u32;
    let longest = rows.iter().map(|row| width(&row.text)).fold(0.0, f64::max);
    let mut svg = String::new();
    let chart = Chart::new(&mut svg, (across, height), x, &y, longest as i32 + 12)?;
    for (place, row) in rows.iter().enumerate() {
        chart.row(place as f64, row)?;
    }
    chart.root.present()?;
    drop(chart);
    Ok(svg)
}

/// Each series as a point with its name beside it.
///
/// # Errors
/// As [`curves`].
pub fn points(points: &[Point<'_>], x: &Axis, y: &Axis, screen: Screen) -> Result<String, PlotError> {
    let mut svg = String::new();
    let chart = Chart::new(&mut svg, screen.size(), x, y, 24)?;
    let at: Vec<Pixel> = points.iter().map(|point| chart.pixel(point.at.x, point.at.y)).collect();
    let mut bars = Vec::new();
    for (point, &at) in points.iter().zip(&at) {
        bars.push(chart.error_bar(point.at, 0, point.look)?);
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
    fn new(svg: &'a mut String, size: (u32, u32), x: &Axis, y: &Axis, right: i32) -> Result<Self, PlotError> {
        let title = x.title.as_str();
        let left = (y.width() + 10.0).max(36.0);
        let x = x.thinned(f64::from(size.0) - left - f64::from(right));
        let top = if y.title.is_empty() { LINE / 2.0 } else { LINE * 2.0 };
        let root = SVGBackend::with_string(svg, size).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(top)
            .margin_right(right)
            .x_label_area_size(LINE * 3.0)
            .y_label_area_size(left)
            .build_cartesian_2d(x, y.clone())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.color())
            .light_line_style(TRANSPARENT)
            .axis_style(GRID.color())
            .label_style(letters(INK))
            .x_desc(title)
            .draw()?;
        let inside = chart.plotting_area().clone();
        drop(chart);
        // Upright above the axis, where a phone has more room than beside it.
        root.draw(&Text::new(y.title.as_str(), (4, 4), letters(INK)))?;
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

    fn curve(&self, curve: &Curve<'_>, vivid: usize) -> Result<(), PlotError> {
        let aside = match curve.look {
            Look::Vivid(place) => (ASIDE * (place as f64 - (vivid as f64 - 1.0) / 2.0)) as i32,
            Look::Muted => 0,
        };
        let points = curve.data.iter().map(|datum| self.pixel(datum.x, datum.y));
        let points: Vec<Pixel> = points.map(|(x, y)| (x + aside, y)).collect();
        let line = curve.look.tint().color().stroke_width(curve.look.stroke());
        self.root.draw(&PathElement::new(points.clone(), line))?;
        for (&datum, &point) in curve.data.iter().zip(&points) {
            self.error_bar(datum, aside, curve.look)?;
            self.mark(point, curve.look)?;
        }
        Ok(())
    }

    /// The bar of a value; where it lies.
    fn error_bar(&self, datum: Datum, aside: i32, look: Look) -> Result<Area, PlotError> {
        let [(x, top), (_, bottom)] =
            [1.0, -1.0].map(|sign| self.pixel(datum.x, datum.y + sign * datum.error));
        if datum.error > 0.0 {
            let ends = [(x + aside, top), (x + aside, bottom)];
            self.root.draw(&PathElement::new(ends, look.tint().color().stroke_width(1)))?;
        }
        let x = f64::from(x + aside);
        Ok(Area { left: x - 1.0, top: f64::from(top), right: x + 1.0, bottom: f64::from(bottom) })
    }

    /// Quantiles from left to right, and the text behind them.
    fn row(&self, place: f64, row: &Row<'_>) -> Result<(), PlotError> {
        let at: Vec<Pixel> = row.quantiles.iter().map(|&quantile| self.pixel(quantile, place)).collect();
        let ([first, ..], [.., last]) = (&at[..], &at[..]) else { return Ok(()) };
        let color = row.look.tint().color();
        self.root.draw(&PathElement::new([*first, *last], color.stroke_width(1)))?;
        for &(x, y) in &at[1..] {
            self.root.draw(&PathElement::new([(x, y - RADIUS), (x, y + RADIUS)], color.stroke_width(2)))?;
        }
        self.mark(*first, row.look)?;
        let edge = self.inside.get_pixel_range().0.end;
        self.text(&row.text, (edge + 8, first.1), HPos::Left, row.look)
    }

    fn mark(&self, at: Pixel, look: Look) -> Result<(), PlotError> {
        let (x, y) = at;
        let fill = look.tint().color().filled();
        match look {
            Look::Muted => self.root.draw(&Circle::new(at, RADIUS - 1, fill))?,
            Look::Vivid(place) => match place % 4 {
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
        curve.data.last().map_or((0, 0), |datum| self.pixel(datum.x, datum.y))
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
        let tint = if look.is_vivid() { INK } else { QUIET };
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
    fn texts_of_ticks_stand_apart() {
        let axis = Axis::powers("time", [0.0, 6.0].into_iter(), |value| format!("{value} ns"));
        let count = |pixels| axis.thinned(pixels).ticks.len();
        assert_eq!((axis.ticks.len(), count(1_000.0), count(200.0)), (7, 7, 3));
    }

    #[test]
    fn no_value_at_all_still_makes_an_axis() {
        for axis in [
            Axis::powers("size", std::iter::empty(), |value| value.to_string()),
            Axis::around("share", [f64::NAN].into_iter(), |value| value.to_string()),
            Axis::around("share", [0.5, 0.5].into_iter(), |value| value.to_string()),
            Axis::places("k", &[]),
        ] {
            assert!(axis.range.start < axis.range.end, "{:?}", axis.range);
            let svg = points(&[], &axis, &axis, Screen::Narrow).unwrap();
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        }
    }
}
