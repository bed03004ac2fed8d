"""`python -m benches doubling`: how much longer twice the input takes, on families made to be hard."""

import argparse
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benches.doubling.families import FAMILIES
from benches.doubling.files import FILES, linted, loaded
from benches.doubling.work import JOBS
from benches.measure import RESULTS, machine

LIMIT = 2.3
RESULT = RESULTS / "doubling.json"
LEAST_SECONDS = 0.02
MOST_BYTES = 1 << 20
"""Faster work than this many bytes in `LEAST_SECONDS` is called again and again."""
BOUNDED = ("lint", "a long regex of choices")
"""Lint models patterns of up to 20,000 characters, some for 20 s, and longer ones not at all: no doubling."""
Prepare = Callable[[int], Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One job on one family."""

    column: str
    job: str
    family: str
    size: int
    ratio: float
    """Of two doublings the geometric mean: at one of them the data may outgrow a cache."""


def doubling(arguments: Sequence[str]) -> str:
    """Times doubled input in processor seconds of one thread; exit code 1 above the limit.

    Each size is the best of several runs. A ratio above the limit is measured anew with more runs and shorter
    input, so that four times of it fit in a cache: a quadratic step takes four times as long at any size.
    """
    parser = argparse.ArgumentParser(prog="python -m benches doubling", description=doubling.__doc__)
    parser.add_argument("--job", default="", help="only jobs whose name holds this")
    parser.add_argument("--family", default="", help="only families whose name holds this")
    parser.add_argument(
        "--again", action="store_true", help="only what the last run lacks, or has above the limit"
    )
    options = parser.parse_args(arguments)
    known = _read() if options.again else []
    done = {(one.job, one.family) for one in known if one.ratio <= LIMIT}
    cells = {(one.job, one.family): one for one in known}
    for column, job, family, prepare in _plan():
        if options.job in job and options.family in family and (job, family) not in done:
            cell = measured(column, job, family, prepare)
            print(f"{job:32} {family:32} {cell.size:10} {cell.ratio:5.2f}", file=sys.stderr, flush=True)
            cells[job, family] = cell
    if not (options.job or options.family):
        rows = [asdict(cell) for cell in cells.values()]
        record = {"table": "doubling", "machine": machine(), "limit": LIMIT, "rows": rows}
        RESULT.write_text(json.dumps(record, indent=1) + "\n")
    table = f"{_texts(list(cells.values()))}\n\n{_files(list(cells.values()))}\n\n{machine()}"
    above = [cell for cell in cells.values() if cell.ratio > LIMIT]
    if above:
        raise SystemExit(f"{table}\n\nabove {LIMIT}: {above}")
    return table


def _read() -> list[Cell]:
    rows = json.loads(RESULT.read_text())["rows"]
    return [Cell(**row) for row in rows]


def _plan() -> Iterator[tuple[str, str, str, Prepare]]:
    for (column, name), job in JOBS.items():
        for family, make in FAMILIES.items():
            yield column, f"{column}:{name}", family, _preparing(job, make)
    for column, on_files in (("load", loaded), ("lint", linted)):
        for family, make_files in FILES.items():
            if (column, family) == BOUNDED:
                continue
            yield column, column, family, _preparing(on_files, make_files)


def _preparing(job: Callable[[Any], Callable[[], object]], make: Callable[[int], object]) -> Prepare:
    return lambda size: job(make(size))


def measured(column: str, job: str, family: str, prepare: Prepare) -> Cell:
    """Returns the cell, measured again while its ratio is above the limit."""
    longest = 1 << 12
    while longest < MOST_BYTES and _seconds(prepare(longest), 1) < LEAST_SECONDS:
        longest *= 2
    for runs, shorter in ((3, 1), (5, 4), (9, 16)):
        size = longest // shorter
        # In turn, so that a slow second hits all three alike.
        works = [prepare(size << doubled) for doubled in range(3)]
        calls = math.ceil(LEAST_SECONDS / _seconds(works[0], 1))
        times = [[_seconds(work, calls) for work in works] for _ in range(runs)]
        first, _, last = (min(one) for one in zip(*times, strict=True))
        cell = Cell(column, job, family, size, round(math.sqrt(last / first), 3))
        if cell.ratio <= LIMIT:
            break
    return cell


def _seconds(work: Callable[[], object], calls: int) -> float:
    """Returns the processor seconds of so many calls."""
    gc.disable()
    try:
        started = time.process_time()
        for _ in range(calls):
            work()
        return max(time.process_time() - started, 1e-6)
    finally:
        gc.enable()


def _worst(cells: Sequence[Cell], column: str, family: str) -> str:
    ratios = [cell.ratio for cell in cells if (cell.column, cell.family) == (column, family)]
    return f"{max(ratios):.2f}" if ratios else "-"


def _texts(cells: Sequence[Cell]) -> str:
    columns = list(dict.fromkeys(column for column, _ in JOBS))
    lines = [f"| text | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for family in FAMILIES:
        lines.append(
            f"| {family} | " + " | ".join(_worst(cells, column, family) for column in columns) + " |"
        )
    return "\n".join(lines)


def _files(cells: Sequence[Cell]) -> str:
    lines = ["| file | load | lint |", "|---|--:|--:|"]
    lines += [f"| {name} | {_worst(cells, 'load', name)} | {_worst(cells, 'lint', name)} |" for name in FILES]
    return "\n".join(lines)
