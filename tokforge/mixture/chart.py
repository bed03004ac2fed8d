"""Bars of the shares with their intervals, as PNG, SVG or PDF."""

from pathlib import Path
from typing import Any

from tokforge.mixture.inference import MixtureResult
from tokforge.outputs import write_files
from tokforge.report.figures import check_plot, drawn, plain

__all__ = ["save_chart"]


def save_chart(result: MixtureResult, path: str | Path, *, force: bool = False) -> None:
    """Draws the shares of bytes, largest on top; their intervals alone where shares are withheld.

    Raises as `check_plot` does.
    """
    check_plot(path)
    height = 1 + 0.3 * len(result.names)
    content = drawn(lambda axes: _bars(result, axes), Path(path).suffix.lower()[1:], (7, height))
    write_files({path: content}, force=force)


def _bars(result: MixtureResult, axes: Any) -> None:
    shares = result.shares["bytes"]
    order = shares.argsort(kind="stable")
    bars = shares[order] * 100 * (not result.withheld)
    axes.barh([plain(result.names[at]) for at in order], bars, color="#4c78a8")
    if result.intervals is not None:
        low, high = result.intervals[order].T * 100
        middle = (low + high) / 2
        axes.errorbar(middle, range(len(order)), xerr=(high - low) / 2, fmt="none", ecolor="k", capsize=3)
    axes.set_xlabel(f"% of the training bytes ({result.level:.0%} intervals), {result.merges:,} merges")
