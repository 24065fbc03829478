"""What learners and baselines are worth on users that training did not see."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinderbox_trainer import command, data

if TYPE_CHECKING:
    import pandas

    from tinderbox_trainer.data import Log, Table


class Evaluation(dict[str, Any]):
    """All figures of an evaluation, as `trainer evaluate --json` writes them."""

    def frame(self) -> "pandas.DataFrame":
        """A row for each method, measure and place: mean, standard error, difference to the best baseline."""
        import pandas

        rows = [
            {"method": method["name"], "baseline": method["baseline"], "measure": measure, **at}
            for method in self["methods"]
            for measure, places in method.items()
            if isinstance(places, list)
            for at in places
            if isinstance(at, dict) and "mean" in at
        ]
        return pandas.json_normalize(rows, sep=" ")


def evaluate(
    log: "Log",
    *,
    items: "Table | None" = None,
    users: "Table | None" = None,
    item_ids: Sequence[str] | None = None,
    protocol: str = "p1",
    methods: Sequence[str] | None = None,
    folds: int = 10,
    progress: Callable[[command.Progress], object] | None = None,
    **options: Any,
) -> Evaluation:
    """Compares learners and baselines: `trainer evaluate`.

    Data and progress as for `fit`. `protocol`: p1, p1t, p2, p3 or onboarding. `methods`: learners, maybe with something
    changed (maml:steps=4), and baselines; without them, all. Other options are those of `trainer evaluate --help`;
    `report="page.html"` also writes a page with plots. Raises TrainerError.
    """
    with tempfile.TemporaryDirectory(prefix="tinderbox-data-") as place:
        figures = Path(place) / "figures.json"
        arguments = [*data.arguments(log, items, users, item_ids, Path(place)), f"--protocol={protocol}"]
        arguments += [f"--folds={folds}", f"--json={figures}", *command.options(options)]
        if methods is not None:
            arguments.append(f"--methods={','.join(methods)}")
        command.run(["evaluate", *arguments], progress)
        return Evaluation(json.loads(figures.read_text("utf-8")))
