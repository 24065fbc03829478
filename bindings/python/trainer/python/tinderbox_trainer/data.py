"""Logs and features as the trainer reads them: paths as they are, tables and matrices as files."""

import csv
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pandas
    import scipy.sparse

    Table: TypeAlias = pandas.DataFrame | str | PathLike[str]
    Log: TypeAlias = Table | scipy.sparse.sparray | scipy.sparse.spmatrix


def arguments(
    log: "Log",
    items: "Table | None",
    users: "Table | None",
    item_ids: Sequence[str] | None,
    directory: Path,
) -> list[str]:
    """The options that name the data; what is not in a file yet is written to `directory`."""
    is_matrix = hasattr(log, "tocoo")
    if item_ids is not None and not is_matrix:
        raise ValueError("item_ids name the columns of a matrix: a table or a file has its own")
    if is_directory(log):
        if items is not None or users is not None:
            raise ValueError("a directory has its own files of items and users: give the file of ratings instead")
        return [f"--data={log}"]
    path = directory / "ratings.csv"
    named = [f"--ratings={write_matrix(log, item_ids, path) if is_matrix else as_file(log, path)}"]
    if items is not None:
        named.append(f"--items={as_file(items, directory / 'items.csv')}")
    if users is not None:
        named.append(f"--users={as_file(users, directory / 'users.csv')}")
    return named


def is_directory(log: Any) -> bool:
    return isinstance(log, str | PathLike) and Path(log).is_dir()


def as_file(table: Any, path: Path) -> Path:
    """The file of a table; several values in a cell, as a list, are parted by `|`."""
    if isinstance(table, str | PathLike):
        return Path(table)
    table.map(joined).to_csv(path, index=False)
    return path


def joined(cell: Any) -> Any:
    is_many = isinstance(cell, Iterable) and not isinstance(cell, str | bytes)
    return "|".join(map(str, cell)) if is_many else cell


def write_matrix(matrix: Any, item_ids: Sequence[str] | None, path: Path) -> Path:
    """A sparse matrix, users x items, as a table; of booleans: likes. Ids are the numbers of rows and columns."""
    matrix = matrix.tocoo()
    columns = matrix.shape[1]
    ids = range(columns) if item_ids is None else item_ids
    if len(ids) != columns:
        raise ValueError(f"{len(ids)} item ids for {columns} columns: give one for each")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        items = (ids[column] for column in matrix.col.tolist())
        if matrix.dtype.kind == "b":
            writer.writerow(["user", "item"])
            writer.writerows(zip(matrix.row.tolist(), items, strict=True))
        else:
            writer.writerow(["user", "item", "rating"])
            writer.writerows(zip(matrix.row.tolist(), items, matrix.data.tolist(), strict=True))
    return path
