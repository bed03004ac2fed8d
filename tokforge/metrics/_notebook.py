"""How a comparison looks in a notebook: a small table, everything escaped."""

from typing import TYPE_CHECKING

from tokforge.tokenizer.notebook import table_html

if TYPE_CHECKING:
    from tokforge.metrics.comparison import Comparison

__all__ = ["comparison_html"]

_SHOWN = ("bytes_per_token", "fertility", "renyi_efficiency", "utilisation", "gini")


def comparison_html(comparison: "Comparison") -> str:
    """Returns the main metrics by tokenizer as a table."""
    from tokforge.metrics.measure import METRICS

    names = [one["name"] for one in comparison.tokenizers.values()]
    rows = []
    for name in _SHOWN:
        values = [one.overall for one in comparison.metrics[name].values()]
        rows.append([METRICS[name].title, *("–" if value is None else f"{value:.3f}" for value in values)])
    return table_html(["", *names], rows)
