"""Bars of the shares with their intervals, as PNG, SVG or PDF."""

import io
from pathlib import Path

from tokforge.errors import ConfigError, MissingExtraError
from tokforge.mixture.inference import MixtureResult
from tokforge.outputs import write_files

__all__ = ["check_chart", "save_chart"]

SUFFIXES = (".png", ".svg", ".pdf")


def check_chart(path: str | Path) -> None:
    """Raises ConfigError for another kind of file, MissingExtraError without matplotlib."""
    from importlib.util import find_spec

    if Path(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"a chart is {', '.join(SUFFIXES)}", "choose one of these endings", str(path))
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib is not installed", "run: pip install 'tokforge[plots]'")


def save_chart(result: MixtureResult, path: str | Path, *, force: bool = False) -> None:
    """Draws the shares of bytes, largest on top."""
    check_chart(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shares = result.shares["bytes"]
    order = shares.argsort(kind="stable")
    figure = Figure(figsize=(7, 1 + 0.3 * len(shares)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    errors = None
    if result.intervals is not None:
        low, high = result.intervals[order].T
        errors = [shares[order] - low, high - shares[order]]
    axes.barh([result.names[at] for at in order], shares[order] * 100, color="#4c78a8")
    if errors is not None:
        places = range(len(order))
        axes.errorbar(
            shares[order] * 100, places, xerr=[side * 100 for side in errors], fmt="none",
            ecolor="black", capsize=3,
        )  # fmt: skip
    axes.set_xlabel(f"% of the training bytes ({result.level:.0%} intervals), {result.merges:,} merges")
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix.lower()[1:], metadata=None)
    write_files({path: content.getvalue()}, force=force)
