"""How evenly the cost is spread over languages or domains.

The cost of a category is its tokens: for the whole text where the categories are translations of one
another (``parallel``), else for each character, which is a stand-in and says so.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.metrics.compression import ratio
from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import Tally

__all__ = ["METRICS", "cost", "gini", "parity"]

Array: TypeAlias = npt.NDArray[Any]


def cost(tally: Tally, *, parallel: bool) -> float | None:
    """Returns what the text costs: its tokens, or its tokens for each character."""
    return float(tally.total) if parallel else ratio(tally.total, tally.characters)


def gini(costs: Array) -> float | None:
    """Returns the Gini coefficient of ``costs`` (categories,): 0 for equal ones; None for fewer than 2.

    Example:
        >>> gini(np.array([1.0, 3.0]))
        0.25
    """
    if len(costs) < 2 or not costs.sum():
        return None
    ordered, n = np.sort(costs), len(costs)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * ordered.sum()))


def parity(costs: dict[str, float]) -> dict[str, float]:
    """Returns each category's cost over that of the cheapest."""
    best = min(costs.values(), default=0.0)
    return {name: value / best for name, value in costs.items()} if best else {}


def _cost_ratio(costs: Array) -> float | None:
    return float(costs.max() / costs.min()) if len(costs) > 1 and costs.min() else None


METRICS = (
    Metric(
        name="gini",
        title="Gini of the cost",
        unit="share",
        direction="lower",
        definition="How unevenly tokens are spread over the categories: 0 if all cost the same.",
        formula="sum_i sum_j |k_i - k_j| / (2 n^2 mean k), k_i the cost of category i",
        source="Tokenizer Fairness Gini, TokEval",
        function=gini,
        scope="languages",
        caveat="A statement about languages only with --parallel; else the cost is tokens per character.",
    ),
    Metric(
        name="cost_ratio",
        title="Dearest to cheapest",
        unit="ratio",
        direction="lower",
        definition="Cost of the dearest category over that of the cheapest.",
        formula="max k_i / min k_i",
        source="Petrov et al. 2023, arXiv 2305.15425 (parity)",
        function=_cost_ratio,
        scope="languages",
        caveat="A statement about languages only with --parallel; else the cost is tokens per character.",
    ),
)
