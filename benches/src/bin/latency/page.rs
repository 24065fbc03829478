//! Records as a page: plots, tables, and what was measured on.

use anyhow::Result;
use maud::{Markup, html};
use tinderbox_page::plot::{Axis, Curve, Datum, Look, PlotError, Row, curves, ranges};
use tinderbox_page::{document, figure, grouped, table};

use crate::record::{Record, fastest};
use crate::table::{by_subject, scans};
use crate::words::{LABELS, LIMITS, bytes, duration, facts, label, memory, noise};

/// One HTML page that needs nothing else, suits light and dark screens from 360 pixels of width, and is the same for
/// the same records.
///
/// # Errors
/// A plot that cannot be drawn, in theory.
pub(crate) fn page(records: &[Record]) -> Result<String> {
    let Some(first) = by_subject(records).next() else {
        return Ok(document("Latency of Tinderbox", &html! { p.lead { "Nothing was measured." } }));
    };
    let body = html! {
        (finding(first))
        dl { @for (name, value) in facts(&first[0].run) { div { dt { (name) } dd { (value) } } } }
        p.quiet { "Command: " code { (first[0].run.command) } }
        section {
            h2 { "What a user waits for" }
            (spread(first)?)
            p.quiet { (LABELS) }
        }
        section {
            h2 { "Adapting to k interactions" }
            (over_support(first)?)
        }
        section {
            h2 { "The size of the catalogue" }
            (over_items(records)?)
            (bandwidth(records))
        }
        section {
            h2 { "Memory and noise" }
            p { (memory(records)) }
            @if let Some(noise) = noise(records) { p { (noise) } }
            p.quiet { (LIMITS) }
        }
        section {
            h2 { "All figures" }
            @for (place, of_model) in by_subject(records).enumerate() {
                details open[place == 0] {
                    summary { (model(&of_model[0])) }
                    (figures(of_model))
                }
            }
        }
    };
    Ok(document(&format!("Latency of Tinderbox on {}", first[0].run.cpu), &body))
}

/// The request, and how it spreads.
fn finding(records: &[Record]) -> Markup {
    let requests = fastest(records);
    let request = requests.iter().find(|record| record.operation == "request");
    html! {
        @if let Some(request) = request {
            p.lead {
                "A whole request, adapting to " (request.support) " interactions and ranking all " (grouped(request.items))
                " items, takes " strong { (duration(request.p50_ns)) } " at the median and " (duration(request.p99_ns))
                " at the 99th percentile (" (request.kernel) ")."
            }
            p.quiet {
                (model(request)) "."
                @if let Some(accuracy) = &request.subject.accuracy {
                    " Accuracy of this very file: " (format!("{:.3}", accuracy.value)) ", " (accuracy.measure) "."
                }
            }
        }
    }
}

fn model(record: &Record) -> String {
    let subject = &record.subject;
    format!(
        "{}: {} of {} inner steps, {} items, dim {}, {}",
        subject.name,
        subject.rule,
        subject.steps,
        grouped(record.items),
        record.dim,
        bytes(subject.bytes as u64),
    )
}

/// Each operation with the fastest kernel, from the median to the slowest in a thousand.
fn spread(records: &[Record]) -> Result<Markup, PlotError> {
    let shown = fastest(records).into_iter().filter(|record| record.operation != "request_again");
    let shown: Vec<(String, &Record)> = shown.map(|record| (label(&record.key()), record)).collect();
    let quantiles = |record: &Record| {
        [record.p50_ns, record.p90_ns, record.p99_ns, record.p999_ns].map(logarithm).to_vec()
    };
    let rows = shown.iter().map(|(name, record)| Row {
        name,
        text: duration(record.p50_ns),
        look: if record.operation == "request" { Look::Vivid(1) } else { Look::Vivid(0) },
        quantiles: quantiles(record),
    });
    let rows: Vec<Row<'_>> = rows.collect();
    let x = time("one call", rows.iter().flat_map(|row| row.quantiles.iter().copied()));
    figure(
        "Quantiles of every operation; the figures are in a table below.",
        "Median (point and figure), 90th, 99th and 99.9th percentile (strokes) of single calls with the fastest kernel.",
        |screen| ranges(&rows, &x, screen),
    )
}

/// Adapting, a curve for each kernel.
fn over_support(records: &[Record]) -> Result<Markup, PlotError> {
    let adapted: Vec<&Record> = records.iter().filter(|record| record.operation == "adapt").collect();
    let drawn = by_kernel(&adapted, |record| record.support as f64, |record| record.p50_ns as f64);
    let highest = drawn.iter().flat_map(|curve| curve.data.iter().map(|datum| datum.y));
    let y = Axis::around("median", highest.chain([0.0]), |ns| duration(ns.max(0.0) as u64));
    let x = Axis::around("k, interactions of the new user", [0.0, 20.0].into_iter(), |k| k.to_string());
    figure(
        "Curves of the median time over k for every kernel; the figures are in a table below.",
        "From the prior to the whole support set, whatever was adapted to before.",
        |screen| curves(&drawn, &x, &y, screen),
    )
}

/// Whole requests over the number of items, a curve for each kernel, above the line of reading the rows once; nothing
/// where only one size was measured.
fn over_items(records: &[Record]) -> Result<Markup, PlotError> {
    let Some((dim, top)) = widest(records) else { return Ok(html! {}) };
    let of_dim = |operation: &str, top: usize| -> Vec<&Record> {
        let those = records.iter().filter(|record| record.operation == operation && record.top == top);
        those.filter(|record| record.dim == dim).collect()
    };
    let (requests, reads) = (of_dim("request", top), of_dim("read", 0));
    let (x, y) =
        (|record: &Record| (record.items as f64).log10(), |record: &Record| logarithm(record.p50_ns));
    let mut drawn = by_kernel(&requests, x, y);
    let line = reads.iter().map(|record| Datum { x: x(record), y: y(record), error: 0.0 });
    drawn.push(Curve { name: "read", look: Look::Muted, data: line.collect() });
    let data = || drawn.iter().flat_map(|curve| &curve.data);
    let across = Axis::powers("items of the catalogue", data().map(|datum| datum.x), |items| {
        grouped(items.round() as usize)
    });
    let up = time("median", data().map(|datum| datum.y));
    figure(
        "Curves of the median time of a request over the number of items; the figures are in a table below.",
        &format!(
            "Requests with lists of {top}, dim {dim}. Grey: reading the rows once and doing nothing with them."
        ),
        |screen| curves(&drawn, &across, &up, screen),
    )
}

/// The dim that was measured with the most numbers of items, two at least, and the first length of its lists.
fn widest(records: &[Record]) -> Option<(usize, usize)> {
    let sizes = |dim: usize| {
        let reads = records.iter().filter(|record| record.operation == "read" && record.dim == dim);
        reads.count()
    };
    let widest = records.iter().max_by_key(|record| sizes(record.dim))?;
    let request = records.iter().find(|record| record.operation == "request" && record.dim == widest.dim)?;
    (sizes(widest.dim) > 1).then_some((widest.dim, request.top))
}

/// How close passes over the catalogue come to reading it once.
fn bandwidth(records: &[Record]) -> Markup {
    let shown = records.iter().filter(|record| record.operation == "rank" && scans(record));
    let line = |record: &Record| {
        records.iter().find(|line| line.operation == "read" && line.subject == record.subject)
    };
    table(
        "Ranking an adapted user: bytes of rows by second at the median, against reading the rows once in the same run",
        html! {
            thead { tr {
                th scope="col" { "catalogue" }
                th scope="col" { "kernel" }
                th scope="col" { "top" }
                th scope="col" { "median" }
                th scope="col" { "GB/s" }
                th scope="col" { "read, GB/s" }
                th scope="col" { "share" }
            } }
            tbody { @for (record, line) in shown.filter_map(|record| Some((record, line(record)?))) { tr {
                th scope="row" { (grouped(record.items)) " × " (record.dim) }
                td { (record.kernel) }
                td { (record.top) }
                td { (duration(record.p50_ns)) }
                td { (format!("{:.1}", record.gb_per_s)) }
                td { (format!("{:.1}", line.gb_per_s)) }
                td { (format!("{:.0} %", 100.0 * record.share(line))) }
            } } }
        },
    )
}

fn figures(records: &[Record]) -> Markup {
    let optional = |value: Option<u64>| value.map_or(String::new(), |value| grouped(value as usize));
    table(
        "Single calls; stack and heap of one call; page faults of all calls, of the median process for first requests",
        html! {
            thead { tr {
                th scope="col" { "operation" }
                th scope="col" { "kernel" }
                @for name in ["p50", "p90", "p99", "p99.9", "GB/s", "stack", "heap", "faults", "from disk", "peak", "calls"] {
                    th scope="col" { (name) }
                }
            } }
            tbody { @for record in records { tr {
                th scope="row" { (label(&record.key())) }
                td { (record.kernel_name()) }
                @for ns in [record.p50_ns, record.p90_ns, record.p99_ns, record.p999_ns] { td { (duration(ns)) } }
                td { @if record.bytes > 0 { (format!("{:.1}", record.gb_per_s)) } }
                td { (record.stack_bytes.map_or(String::new(), |stack| bytes(stack as u64))) }
                td { (optional(record.allocations)) }
                td { (optional(record.minor_faults)) }
                td { (optional(record.major_faults)) }
                td { (record.peak_bytes.map_or(String::new(), bytes)) }
                td { (grouped(record.calls as usize)) }
            } } }
        },
    )
}

/// A curve for each kernel, in the order in which they come.
fn by_kernel<'r>(
    records: &[&'r Record],
    x: impl Fn(&Record) -> f64,
    y: impl Fn(&Record) -> f64,
) -> Vec<Curve<'r>> {
    let mut drawn: Vec<Curve<'r>> = Vec::new();
    for record in records {
        let datum = Datum { x: x(record), y: y(record), error: 0.0 };
        match drawn.iter_mut().find(|curve| curve.name == record.kernel) {
            Some(curve) => curve.data.push(datum),
            None => {
                let look = Look::Vivid(drawn.len());
                drawn.push(Curve { name: &record.kernel, look, data: vec![datum] });
            }
        }
    }
    drawn
}

/// Nanoseconds on an axis of powers.
fn logarithm(ns: u64) -> f64 {
    (ns.max(1) as f64).log10()
}

fn time(title: &str, logarithms: impl Iterator<Item = f64>) -> Axis {
    Axis::powers(title, logarithms, |ns| duration(ns.round() as u64).replace(".00", "").replace(".0", ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::made;

    #[test]
    fn the_page_shows_every_figure_and_needs_nothing_from_elsewhere() {
        let records = made();
        let page = page(&records).expect("a page");
        for record in &records {
            assert!(page.contains(&label(&record.key())), "{}", record.operation);
            assert!(page.contains(&duration(record.p99_ns)), "{}", record.p99_ns);
        }
        assert!(page.contains("a &lt;b&gt;") && !page.contains("a <b>"));
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn a_page_of_nothing_can_be_written() {
        assert!(page(&[]).expect("a page").contains("Nothing was measured."));
    }
}
