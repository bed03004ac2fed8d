"""A figure as the bytes of a file: one way to draw by matplotlib, which is loaded only here.

The SVG holds text as text and no date, so that equal figures give equal files.
"""

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError, MissingExtraError

__all__ = ["FORMS", "check_plot", "drawn", "plain", "require_matplotlib"]

FORMS = ("png", "svg", "pdf")


def require_matplotlib() -> None:
    """Raises MissingExtraError unless matplotlib is installed."""
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib is not installed", "run: pip install 'tokforge[plots]'", "plots")


def check_plot(path: str | Path) -> None:
    """Raises ConfigError for a kind of file that is none of `FORMS`, MissingExtraError without matplotlib."""
    if Path(path).suffix.lower()[1:] not in FORMS:
        raise ConfigError(f"a plot is .{', .'.join(FORMS)}", "choose one of these endings", str(path))
    require_matplotlib()


def drawn(draw: Callable[[Any], object], form: str, size: tuple[float, float] = (5.5, 3.6)) -> bytes:
    """Returns what ``draw`` puts on its axes as one of `FORMS`; ``size`` in inches, 200 dots to each."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "tokforge", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
        figure.savefig(out, format=form, dpi=200, metadata=undated.get(form))
    return out.getvalue()


def plain(label: str) -> str:
    """Returns ``label`` so that matplotlib reads no formula in it."""
    return label.replace("$", r"\$")
