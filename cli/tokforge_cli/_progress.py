"""Progress bars on stderr: one a phase, with its rate and the time that remains.

Drawn only on a terminal; in a pipe the callback stays, since Ctrl-C reaches the engine through it.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

Progress: TypeAlias = Callable[[str, int, int], object]
"""Called as ``progress(phase, done, total)``; a total of 0 is not known."""

PHASES = {
    "download": ("Downloading", "bytes"),
    "curate": ("Choosing", "bytes"),
    "sample": ("Sampling", "bytes"),
    "read": ("Reading", "bytes"),
    "count": ("Counting", "bytes"),
    "lay out": ("Laying out", "bytes"),
    "scan": ("Scanning", "bytes"),
    "merge": ("Merging", "merges"),
    "encode": ("Encoding", "bytes"),
    "prune": ("Pruning", "tokens"),
    "solve": ("Solving", "merges"),
    "calibrate": ("Calibrating", "steps"),
    "resample": ("Resampling", "samples"),
    "simulate": ("Simulating", "tokenizers"),
    "embed": ("Embedding", "tokens"),
    "evaluate": ("Evaluating", "windows"),
}
"""Title and unit of each phase that the library reports."""


@contextmanager
def bars(*, quiet: bool) -> Iterator[Progress]:
    """Yields a progress callback; it draws if stderr is a terminal and the user did not ask for quiet."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _silent
        return
    with _drawn() as progress:
        yield progress


def _silent(phase: str, done: int, total: int) -> None:
    """Draws nothing. It is still called, so that a pending KeyboardInterrupt is raised in it."""


@contextmanager
def _drawn() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]:>14}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as drawn:
        tasks: dict[str, Any] = {}

        def progress(phase: str, done: int, total: int) -> None:
            title, unit = PHASES.get(phase, (phase.capitalize(), "steps"))
            if phase not in tasks:
                _complete(drawn, tasks)
                tasks[phase] = drawn.add_task(title, total=total or None, rate="")
            elif phase != next(reversed(tasks)):
                return  # merging scans again now and then, which is part of merging
            drawn.update(tasks[phase], completed=done, total=total or None)
            speed = drawn.tasks[tasks[phase]].speed
            drawn.update(tasks[phase], rate=shown_rate(speed, unit))

        yield progress


def _complete(drawn: Any, tasks: dict[str, Any]) -> None:
    """Fills the bar of the phase before: its last report may have come a little before its end."""
    for task in list(tasks.values())[-1:]:
        drawn.update(task, completed=drawn.tasks[task].total or drawn.tasks[task].completed)


def shown_rate(per_second: float | None, unit: str) -> str:
    """Returns a rate such as ``12.3 MB/s`` or ``840 merges/s``."""
    if not per_second:
        return ""
    if unit != "bytes":
        return f"{per_second:,.0f} {unit}/s"
    from tokforge_cli._output import shown_bytes

    return f"{shown_bytes(per_second)}/s"
