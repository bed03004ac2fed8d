"""`python -m benches doubling`: how much longer twice the input takes, on families made to be hard."""

import argparse
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benches.doubling.families import FAMILIES
from benches.doubling.files import FILES, linted, loaded
from benches.doubling.work import JOBS
from benches.measure import RESULTS, machine

LIMIT = 2.3
LEAST_SECONDS = 0.02
MOST_BYTES = 1 << 20
"""Work that is faster than this many bytes in `LEAST_SECONDS` is measured at this size."""
Prepare = Callable[[int], Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One job on one family: the times of a size, twice and four times it."""

    job: str
    family: str
    size: int
    seconds: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """The geometric mean of two doublings: at one of them the data may outgrow a cache."""
        return math.sqrt(self.seconds[2] / self.seconds[0])


def doubling(arguments: Sequence[str]) -> str:
    """Times doubled input in processor seconds of one thread; exit code 1 above the limit.

    Each size is the best of several runs. A ratio above the limit is measured anew, twice at the most, from
    twice the size and with more runs: what the machine did meanwhile is no property of the engine.
    """
    parser = argparse.ArgumentParser(prog="python -m benches doubling", description=doubling.__doc__)
    parser.add_argument("--job", help="only jobs whose name holds this")
    parser.add_argument("--family", help="only families whose name holds this")
    options = parser.parse_args(arguments)
    cells = {(column, name, family): cell for column, name, family, cell in _cells(options)}
    table = f"{_texts(cells)}\n\n{_files(cells)}\n\n{machine()}"
    if not (options.job or options.family):
        rows = [
            {
                "column": key[0],
                "job": cell.job,
                "family": cell.family,
                "bytes": cell.size,
                "ratio": cell.ratio,
            }
            for key, cell in cells.items()
        ]
        record = {"table": "doubling", "machine": machine(), "limit": LIMIT, "rows": rows}
        (RESULTS / "doubling.json").write_text(json.dumps(record, indent=1) + "\n")
    above = [cell for cell in cells.values() if cell.ratio > LIMIT]
    if above:
        raise SystemExit(f"{table}\n\nabove {LIMIT}: {above}")
    return table


def _cells(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    plan = [
        (column, name, family, lambda size, job=job, make=make: job(make(size)))
        for (column, name), job in JOBS.items()
        for family, make in FAMILIES.items()
    ]
    plan += [
        (column, column, family, lambda size, job=job, make=make: job(make(size)))
        for column, job in (("load", loaded), ("lint", linted))
        for family, make in FILES.items()
    ]
    for column, name, family, prepare in plan:
        if (options.job or "") in f"{column}:{name}" and (options.family or "") in family:
            cell = measured(f"{column}:{name}", family, prepare)
            print(f"{cell.job:32} {family:32} {cell.size:10} {cell.ratio:5.2f}", file=sys.stderr, flush=True)
            yield column, name, family, cell


def measured(job: str, family: str, prepare: Prepare) -> Cell:
    """Returns the cell, measured again while its ratio is above the limit."""
    size = 1 << 12
    while size < MOST_BYTES and best(prepare(size), 1) < LEAST_SECONDS:
        size *= 2
    for runs in (3, 5, 9):
        # In turn, so that a slow second hits all three alike.
        works = [prepare(size << doubled) for doubled in range(3)]
        times = [[best(work, 1) for work in works] for _ in range(runs)]
        cell = Cell(job, family, size, tuple(min(column) for column in zip(*times, strict=True)))  # type: ignore
        if cell.ratio <= LIMIT:
            break
        size = min(2 * size, MOST_BYTES)
    return cell


def best(work: Callable[[], object], runs: int) -> float:
    """Returns the least processor seconds of so many runs."""
    gc.disable()
    try:
        return min(_seconds(work) for _ in range(runs))
    finally:
        gc.enable()


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return max(time.process_time() - started, 1e-9)


def _texts(cells: Mapping[tuple[str, str, str], Cell]) -> str:
    columns = list(dict.fromkeys(column for column, _ in JOBS))
    lines = [f"| text | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for family in FAMILIES:
        worst = [[cell for key, cell in cells.items() if key[::2] == (column, family)] for column in columns]
        shown = " | ".join(f"{max(cell.ratio for cell in found):.2f}" if found else "-" for found in worst)
        lines.append(f"| {family} | {shown} |")
    return "\n".join(lines)


def _files(cells: Mapping[tuple[str, str, str], Cell]) -> str:
    lines = ["| file | load | lint |", "|---|--:|--:|"]
    for family in FILES:
        found = [cells.get((column, column, family)) for column in ("load", "lint")]
        lines.append(
            f"| {family} | " + " | ".join(f"{one.ratio:.2f}" if one else "-" for one in found) + " |"
        )
    return "\n".join(lines)
