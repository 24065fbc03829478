"""Learning from logs, and the model files that come of it."""

import json
import tempfile
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tinderbox
from tinderbox_trainer import command, data

if TYPE_CHECKING:
    from tinderbox_trainer.data import Log, Table


class Run:
    """What a fit left: a directory, from which model files are made."""

    def __init__(self, directory: str | PathLike[str] | tempfile.TemporaryDirectory[str]) -> None:
        """A run that is there. A temporary directory goes with it."""
        self._held = directory
        self.directory = Path(directory.name if isinstance(directory, tempfile.TemporaryDirectory) else directory)

    @property
    def card(self) -> dict[str, Any]:
        """What was learned from what, and how well that went: the model card."""
        card: dict[str, Any] = json.loads((self.directory / "run.json").read_text("utf-8"))
        return card

    def export(self, path: str | PathLike[str], *, titles: bool = True) -> tinderbox.Model:
        """Writes the model file, checked against the trainer's own scores, and opens it.

        An existing file is replaced, never changed: who has it open keeps the old one. Raises TrainerError.
        """
        command.run(["export", str(self.directory), f"--out={path}", *([] if titles else ["--no-titles"])])
        return tinderbox.Model.open(path)

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"


def fit(
    log: "Log",
    *,
    items: "Table | None" = None,
    users: "Table | None" = None,
    item_ids: Sequence[str] | None = None,
    out: str | PathLike[str] | None = None,
    learner: str = "auto",
    progress: Callable[[command.Progress], object] | None = None,
    **options: Any,
) -> Run:
    """Learns from interaction logs: `trainer fit`.

    `log`: a DataFrame, a sparse matrix or a path. `items` and `users`: their features, a DataFrame or a path;
    titles come with the items. `item_ids` name the columns of a matrix. `out`: the run's directory; without it, it
    is temporary and goes with the Run. `learner`: auto, maml, prototypical or matching. `progress` is called with a
    Progress all along; an exception in it stops the fit. Other options are those of `trainer fit --help`: dim,
    steps, epochs, seed, threads, like_at, scale, rank, time_order, min_user, min_item, user_column ...

    The same data, options and seed give the same model file. Cost: tables and matrices go through a file, about
    a second for a million interactions. Raises TrainerError.
    """
    run = Run(tempfile.TemporaryDirectory(prefix="tinderbox-run-") if out is None else out)
    with tempfile.TemporaryDirectory(prefix="tinderbox-data-") as place:
        named = data.arguments(log, items, users, item_ids, Path(place))
        arguments = [*named, f"--learner={learner}", f"--out={run.directory}", *command.options(options)]
        command.run(["fit", *arguments], progress)
    return run
