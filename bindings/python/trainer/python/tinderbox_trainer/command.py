"""The executable `trainer`: where it is, how it is called, what it says on the way."""

import json
import logging
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("tinderbox_trainer")


class TrainerError(RuntimeError):
    """Why the trainer stopped, in its own words."""


@dataclass(frozen=True)
class Progress:
    """How far the trainer is: what it is doing and, in training, how the epoch went."""

    stage: str
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    validation: float | None = None


def run(arguments: Iterable[str], progress: Callable[[Progress], object] | None = None) -> str:
    """Runs the trainer and returns what it prints. What it says beside progress goes to the log.

    An exception in `progress`, KeyboardInterrupt among them, stops the trainer and goes on to the caller.
    Raises TrainerError.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(
            [executable(), "--progress", "json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process,
    ):
        try:
            said = list(listen(process.stderr or (), progress))
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            raise TrainerError("\n".join(said).removeprefix("error: ") or f"exit code {process.returncode}")
        output.seek(0)
        return output.read()


def listen(lines: Iterable[str], progress: Callable[[Progress], object] | None) -> Iterable[str]:
    """Passes progress on; yields the lines of an error, and logs the others."""
    failed = False
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith('{"stage":'):
            if progress is not None:
                progress(Progress(**json.loads(line)))
            continue
        failed = failed or line.startswith("error: ")
        if failed:
            yield line
        else:
            log.info(line)


def executable() -> str:
    """The trainer of this package, else the first on the path."""
    name = "trainer" + (sysconfig.get_config_var("EXE") or "")
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    for scheme in schemes:
        path = Path(sysconfig.get_path("scripts", scheme=scheme)) / name
        if path.is_file():
            return str(path)
    if found := shutil.which(name):
        return found
    raise FileNotFoundError(f"no {name}: install the package tinderbox-trainer again")


def options(given: Mapping[str, Any]) -> list[str]:
    """Options of the command line: `time_order=True` is `--time-order`, `scale=(1, 10)` is `--scale 1..10`."""
    arguments = []
    for name, value in given.items():
        option = "--" + name.replace("_", "-")
        match value:
            case None | False:
                pass
            case True:
                arguments.append(option)
            case (lowest, highest) if name == "scale":
                arguments.append(f"{option}={lowest}..{highest}")
            case _:
                arguments.append(f"{option}={value}")
    return arguments
