"""Charts of a comparison for papers."""

from collections.abc import Callable
from typing import Any

from tokforge.errors import pick
from tokforge.metrics import METRICS, Comparison
from tokforge.report.figures import drawn, plain

__all__ = ["CHARTS", "draw"]

_MARKS, _DASHES = "osD^vPX*<>", ("-", "--", ":", "-.")
"""Matplotlib has ten colours: the eleventh series has the first's colour alone."""


def draw(comparison: Comparison, chart: str, form: str) -> bytes:
    """Returns one of `CHARTS` as ``png`` or ``svg``."""
    drawer = pick("the chart", chart, CHARTS)
    return drawn(lambda axes: drawer(comparison, axes), form)


def _mark(number: int) -> str:
    return _MARKS[(number + number // 10) % 10]


def _dash(number: int) -> str:
    return _DASHES[number // 10 % len(_DASHES)]


def _names(comparison: Comparison) -> list[str]:
    return [plain(one["name"]) for one in comparison.tokenizers.values()]


def _named(comparison: Comparison) -> list[tuple[str, dict[str, Any]]]:
    return list(zip(_names(comparison), comparison.tokenizers.values(), strict=True))


def _by_text(name: str) -> Callable[[Comparison, Any], None]:
    def chart(comparison: Comparison, axes: Any) -> None:
        texts = list(comparison.texts)
        by = comparison.metrics[name].values()
        for number, (label, values) in enumerate(zip(_names(comparison), by, strict=True)):
            known = [(v, at) for at, text in enumerate(texts) if (v := values.categories[text]) is not None]
            axes.plot(*zip(*known, strict=True), _mark(number), label=label, markersize=5)
        axes.set_yticks(range(len(texts)), [plain(text) for text in texts])
        axes.invert_yaxis()
        _finish(axes, METRICS[name].unit, "")

    return chart


def _parity(comparison: Comparison, axes: Any) -> None:
    texts = list(comparison.texts)
    for number, (label, by) in enumerate(zip(_names(comparison), comparison.parity.values(), strict=True)):
        known = [(by[text], at) for at, text in enumerate(texts) if text in by]
        axes.plot(*zip(*known, strict=True), _mark(number), label=label, markersize=5)
    axes.set_yticks(range(len(texts)), [plain(text) for text in texts])
    axes.invert_yaxis()
    _finish(axes, "cost over that of the cheapest text", "")


def _ranks(comparison: Comparison, axes: Any) -> None:
    for number, (label, one) in enumerate(_named(comparison)):
        axes.semilogx(*zip(*one["rank_curve"], strict=True), _dash(number), label=label)
    _finish(axes, "rank", "share of all tokens")


def _lengths(comparison: Comparison, axes: Any) -> None:
    for number, (label, one) in enumerate(_named(comparison)):
        total = sum(one["used_token_bytes"].values()) or 1
        shares = [one["used_token_bytes"].get(str(n), 0) / total for n in range(1, 17)]
        axes.plot(range(1, 17), shares, _dash(number), label=label)
    _finish(axes, "bytes of a token", "share of all tokens")


def _finish(axes: Any, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


CHARTS: dict[str, Callable[[Comparison, Any], None]] = {
    "bytes_per_token": _by_text("bytes_per_token"),
    "fertility": _by_text("fertility"),
    "parity": _parity,
    "rank_curve": _ranks,
    "token_length": _lengths,
}
"""Name of the chart, which is its file's -> what draws it."""
