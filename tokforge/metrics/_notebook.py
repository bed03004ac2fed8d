"""How results look in a notebook: a small table, everything escaped."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tokforge.tokenizer import printable

if TYPE_CHECKING:
    from tokforge.metrics.comparison import Comparison

__all__ = ["comparison_html", "segmentation_html", "table_html"]

_SHOWN = ("bytes_per_token", "fertility", "renyi_efficiency", "utilisation", "gini")
_COLOURS = ("#dbe9ff", "#ffe5cc", "#d5f2df", "#eedcff", "#ffdcdf", "#cff1f5", "#f3e6c4", "#fbd9ee")


def comparison_html(comparison: "Comparison") -> str:
    """Returns the main metrics by tokenizer as a table."""
    from tokforge.metrics.measure import METRICS

    names = [one["name"] for one in comparison.tokenizers.values()]
    rows = []
    for name in _SHOWN:
        values = [one.overall for one in comparison.metrics[name].values()]
        rows.append([METRICS[name].title, *("–" if value is None else f"{value:.3f}" for value in values)])
    return table_html(["", *names], rows)


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a plain table; every cell is escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def segmentation_html(tokens: Sequence[bytes], ids: Sequence[int]) -> str:
    """Returns tokens as coloured text; the colour follows the id, the id stands in the title."""
    look = "color:#111;border-radius:3px;margin-right:1px;white-space:pre"
    spans = [
        f'<span title="id {number}" style="background:{_colour(number)};{look}">'
        f"{escape(printable(token))}</span>"
        for token, number in zip(tokens, ids, strict=True)
    ]
    return f'<div style="font-family:monospace;line-height:1.8">{"".join(spans)}</div>'


def _colour(token_id: int) -> str:
    return _COLOURS[token_id * 2654435761 % 2**32 >> 29]  # as the report's script does
