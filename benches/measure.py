"""Runs whole processes in turn and reports time and memory as the operating system counted them."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One contender in one table: medians over the runs; ``finished`` is false if it was stopped."""

    name: str
    version: str
    command: str
    seconds: float
    peak_memory_bytes: int
    runs: tuple[float, ...]
    processor_seconds: float
    finished: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A command that does the whole job in a process of its own, and what it is called."""

    name: str
    version: str
    command: Sequence[str]


def compare(contenders: Sequence[Contender], *, runs: int, limit_seconds: float = 3600) -> list[Measurement]:
    """Runs all contenders in turn, ``runs`` times, so that a slow minute of the machine hits all alike.

    One that takes longer than ``limit_seconds`` is stopped.
    """
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    processor: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    peaks: dict[str, list[int]] = {contender.name: [] for contender in contenders}
    for _ in range(runs):
        for contender in contenders:
            took, busy, peak = run(contender.command, limit_seconds)
            seconds[contender.name].append(took)
            processor[contender.name].append(busy)
            peaks[contender.name].append(peak)
            print(
                f"{contender.name:24} {took:8.2f} s, {busy:.2f} of processors {peak / 1e6:8.0f} MB",
                file=sys.stderr,
            )
    return [
        Measurement(
            name=contender.name,
            version=contender.version,
            command=" ".join(contender.command),
            seconds=statistics.median(seconds[contender.name]),
            peak_memory_bytes=int(statistics.median(peaks[contender.name])),
            runs=tuple(seconds[contender.name]),
            processor_seconds=statistics.median(processor[contender.name]),
            finished=max(seconds[contender.name]) < limit_seconds,
        )
        for contender in contenders
    ]


def run(command: Sequence[str], limit_seconds: float) -> tuple[float, float, int]:
    """Returns wall seconds, at most ``limit_seconds``, processor seconds and peak bytes of a command alone.

    Raises CalledProcessError if the command fails for another reason than the limit.
    """
    launcher = [sys.executable, "-I", str(Path(__file__).with_name("alone.py")), str(limit_seconds)]
    launched = subprocess.run([*launcher, *command], stdout=subprocess.PIPE, check=True)
    seconds, busy, peak, status = json.loads(launched.stdout)
    if status and seconds < limit_seconds:
        raise subprocess.CalledProcessError(status, command)
    return min(seconds, limit_seconds), busy, peak


def report(table: str, about: Mapping[str, object], measurements: Sequence[Measurement]) -> str:
    """Writes the table as JSON and returns it as Markdown; ratios are against the first row."""
    RESULTS.mkdir(exist_ok=True)
    record = {"table": table, **about, "machine": machine(), "rows": [asdict(row) for row in measurements]}
    (RESULTS / f"{table}.json").write_text(json.dumps(record, indent=2) + "\n")
    first = measurements[0]
    lines = [
        "| | version | seconds | times ours | of processors | peak MB | times ours |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row.name} | {row.version} | {_over(row)}{row.seconds:.1f} | "
            f"{_over(row)}{row.seconds / first.seconds:.1f} | "
            f"{row.processor_seconds:.1f} | "
            f"{row.peak_memory_bytes / 1e6:.0f} | {row.peak_memory_bytes / first.peak_memory_bytes:.1f} |"
            for row in measurements
        ),
    ]
    facts = "; ".join(f"{key}: {value}" for key, value in about.items())
    return f"{table}: {facts}; {machine()}\n\n" + "\n".join(lines)


def _over(row: Measurement) -> str:
    return "" if row.finished else "over "


def machine() -> str:
    """Says what the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
