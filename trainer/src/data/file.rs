//! A file as text, and its rows.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::error::{Fault, ReadError, excerpt};

/// One cell of a row: borrowed from the file unless a doubled quote had to be undone.
pub(super) type Cell<'a> = Cow<'a, str>;

/// A whole file as text, without byte order mark.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    text: String,
}

impl File {
    /// Reads `path`: UTF-8, and Latin-1 (windows-1252, its superset) where the bytes are not UTF-8.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let fail = |fault| ReadError { file: path.to_owned(), line: None, fault };
        if path.is_dir() {
            return Err(fail(Fault::Directory));
        }
        let bytes = std::fs::read(path).map_err(|error| fail(Fault::Io(error)))?;
        let text = decode(bytes).map_err(fail)?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// `text` as if it stood in a file called `name`.
    pub(super) fn of_text(name: &str, text: String) -> Self {
        Self { path: PathBuf::from(name), text }
    }

    /// The file's name in lower case, without directories.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
    }

    pub(super) fn first_line(&self) -> &str {
        self.text.lines().find(|line| !line.is_empty()).unwrap_or_default()
    }

    pub(super) fn rows(&self, separator: &'static str, quotes: bool) -> Rows<'_> {
        Rows { file: self, rest: &self.text, line: 1, separator, quotes, width: None }
    }

    pub(super) fn fail(&self, line: impl Into<Option<usize>>, fault: Fault) -> ReadError {
        ReadError { file: self.path.clone(), line: line.into(), fault }
    }
}

/// Turns bytes into text. Latin-1 can be any bytes, so that what is no text must be told by other signs:
/// a NUL anywhere, a control character near the start (every archive has one there).
fn decode(mut bytes: Vec<u8>) -> Result<String, Fault> {
    const START: usize = 1024; // bytes
    match bytes.as_slice() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
            return Err(Fault::Utf16);
        }
        [0xef, 0xbb, 0xbf, ..] => drop(bytes.drain(..3)),
        _ => {}
    }
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if bytes.contains(&0) || bytes.iter().take(START).any(is_control) {
        return Err(Fault::NotText);
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned()
    });
    // Spreadsheets of old wrote bare carriage returns.
    Ok(if text.contains('\n') { text } else { text.replace('\r', "\n") })
}

/// The rows of a file, one after the other; all are of one width: that of the first, if none is given.
///
/// Not the csv crate: that one takes an unclosed quote, and text after a closing one, without a word, and
/// both make it swallow rows.
pub(super) struct Rows<'a> {
    file: &'a File,
    rest: &'a str,
    line: usize,
    separator: &'static str,
    quotes: bool,
    width: Option<usize>,
}

impl<'a> Rows<'a> {
    pub(super) fn of_width(self, width: usize) -> Self {
        Self { width: Some(width), ..self }
    }

    /// Fills `cells` with the next row that is not blank and gives the line on which it starts; `None` at
    /// the end. Lines end in LF or CRLF; quoted cells may hold separators and line ends.
    pub(super) fn read(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<Option<usize>, ReadError> {
        cells.clear();
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let start = self.line;
        let (line, rest) = split_line(self.rest);
        if self.quotes && line.contains('"') {
            self.read_quoted(cells)?;
        } else {
            cells.extend(line.split(self.separator).map(Cow::Borrowed));
            self.rest = rest;
            self.line += 1;
        }
        let expected = *self.width.get_or_insert(cells.len());
        if cells.len() != expected {
            return Err(self.file.fail(start, Fault::Ragged { expected, found: cells.len() }));
        }
        Ok(Some(start))
    }

    fn read_quoted(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<(), ReadError> {
        loop {
            let cell = if self.rest.starts_with('"') { self.quoted()? } else { self.unquoted() };
            cells.push(cell);
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
            } else {
                self.rest = split_line(self.rest).1;
                self.line += 1;
                return Ok(());
            }
        }
    }

    fn unquoted(&mut self) -> Cell<'a> {
        let (line, _) = split_line(self.rest);
        let (cell, rest) = self.rest.split_at(line.find(self.separator).unwrap_or(line.len()));
        self.rest = rest;
        Cow::Borrowed(cell)
    }

    /// Reads a quoted cell (RFC 4180); the text starts with its opening quote.
    fn quoted(&mut self) -> Result<Cell<'a>, ReadError> {
        let body = &self.rest[1..];
        let end = closing_quote(body).ok_or_else(|| self.file.fail(self.line, Fault::UnclosedQuote))?;
        let cell = &body[..end];
        self.line += cell.matches('\n').count();
        self.rest = &body[end + 1..];
        let (line, _) = split_line(self.rest);
        if !line.is_empty() && !line.starts_with(self.separator) {
            return Err(self.file.fail(self.line, Fault::StrayQuote(excerpt(line))));
        }
        Ok(if cell.contains('"') { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }
}

/// The text up to the line end, and the text after it.
fn split_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), rest)
}

/// Where the first quote is that is not doubled.
fn closing_quote(body: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + body[from..].find('"')?;
        if !body[at + 1..].starts_with('"') {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let file = File::of_text("t.csv", decode(text.as_bytes().to_vec()).unwrap());
        let (mut rows, mut cells, mut all) = (file.rows(",", true), Vec::new(), Vec::new());
        while rows.read(&mut cells).unwrap().is_some() {
            all.push(cells.iter().map(|cell| cell.to_string()).collect());
        }
        all
    }

    #[test]
    fn a_byte_order_mark_and_either_line_end_leave_no_trace() {
        assert_eq!(rows("\u{feff}a,b\r\n\r\n1,2\n\n3,4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
        assert_eq!(rows("a,b\r1,2\r"), [["a", "b"], ["1", "2"]]);
    }

    #[test]
    fn latin_1_is_read_where_the_bytes_are_not_utf_8() {
        assert_eq!(decode(b"Mis\xe9rables, Les".to_vec()).unwrap(), "Misérables, Les");
    }

    #[test]
    fn a_quote_inside_an_unquoted_cell_is_text() {
        assert_eq!(rows("the 5\" disk,x\n"), [["the 5\" disk", "x"]]);
    }

    #[test]
    fn the_line_of_a_row_counts_line_ends_inside_quotes() {
        let file = File::of_text("t.csv", "a\n\"x\r\ny\"\n\nb\n".to_owned());
        let (mut rows, mut cells) = (file.rows(",", true), Vec::new());
        let lines: Vec<_> = std::iter::from_fn(|| rows.read(&mut cells).unwrap()).collect();
        assert_eq!(lines, [1, 2, 5]);
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            table in prop::collection::vec(prop::collection::vec("[ab,\"\r\n;|é]{0,6}", 3), 1..8),
        ) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(rows(&text), table);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = decode(bytes) {
                let file = File::of_text("t.csv", text);
                let (mut rows, mut cells) = (file.rows(",", true), Vec::new());
                while let Ok(Some(_)) = rows.read(&mut cells) {}
            }
        }
    }
}
