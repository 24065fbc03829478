//! Records as a table for a terminal.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

use crate::record::Record;
use crate::words::{bytes, duration, label, subject};

/// Tables of all figures, one for each model, and what was measured on.
pub(crate) fn tables(records: &[Record]) -> String {
    let mut text = String::new();
    for of_model in by_subject(records) {
        text += &format!("{}\n", subject(&of_model[0]));
        let mut table = grid(
            &["operation", "kernel", "p50", "p90", "p99", "p99.9", "GB/s", "of read", "stack", "calls"],
            2,
        );
        let line = of_model.iter().find(|record| record.operation == "read");
        for record in of_model {
            let share = line.filter(|_| scans(record)).map(|line| record.share(line));
            table.add_row([
                label(&record.key()),
                record.kernel_name().to_owned(),
                duration(record.p50_ns),
                duration(record.p90_ns),
                duration(record.p99_ns),
                duration(record.p999_ns),
                if record.bytes > 0 { format!("{:.1}", record.gb_per_s) } else { String::new() },
                share.map_or(String::new(), |share| format!("{:.0} %", 100.0 * share)),
                record.stack_bytes.map_or(String::new(), |stack| bytes(stack as u64)),
                record.calls.to_string(),
            ]);
        }
        text += &format!("{table}\n\n");
    }
    text
}

/// Records of one model after the other, as they come.
pub(crate) fn by_subject(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    records.chunk_by(|a, b| a.subject == b.subject)
}

/// Whether an operation is a pass over the catalogue, so that reading it once is the line to compare with.
pub(crate) fn scans(record: &Record) -> bool {
    ["rank", "request", "similar", "diverse"].contains(&record.operation.as_str())
}

/// Lines above, under the header and below: the rows are many.
const LINES: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// An empty table with these columns, all but the first `left` of numbers.
pub(crate) fn grid(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(LINES).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in left..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
