//! RecBole's atomic files (<https://recbole.io/docs/user_guide/data/atomic_files.html>): tab-separated,
//! never quoted, a header of `name:type`.

use super::file::File;
use super::layout::{Column, Kind, Layout};

pub(super) const SEPARATOR: &str = "\t";

/// The layout of `*.inter`, `*.item`, `*.user`; `None` for other files.
pub(super) fn layout(file: &File) -> Option<Layout> {
    let name = file.name();
    let is_atomic = [".inter", ".item", ".user"].iter().any(|ending| name.ends_with(ending));
    is_atomic.then(|| Layout {
        separator: SEPARATOR,
        quotes: false,
        header: true,
        columns: file.first_line().split(SEPARATOR).map(column).collect(),
    })
}

fn column(field: &str) -> Column {
    let (name, kind) = field.rsplit_once(':').unwrap_or((field, "token"));
    let kind = match kind {
        "token_seq" => Kind::Sequence,
        "float" => Kind::Number,
        "float_seq" => Kind::Ignored, // a vector, nothing categorical
        _ => Kind::Token,
    };
    Column::new(name, kind)
}
