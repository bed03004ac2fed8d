"""Every metric in one place: what it is, how it is computed, where it comes from.

The registry feeds the JSON, the tables, the report's tooltips and docs/metrics.md. A metric is a pure
function over a `Tally`, over a `Vocabulary`, or over the costs of several texts; None where it is
undefined (an empty text, a single category).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Definition", "Direction", "Metric", "Scope", "registered"]

Direction = Literal["higher", "lower", "none"]
"""Which value is better by the metric's own intent; ``none`` describes and does not rank."""

Scope = Literal["text", "vocabulary", "languages"]
"""What the function takes: a `Tally`; a `Vocabulary`; or the cost of each category, (categories,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """What a reader should know of a measure."""

    name: str
    title: str
    unit: str
    direction: Direction
    definition: str
    """One sentence in plain words."""
    formula: str
    """N tokens, B bytes, C characters, W words, V ids, c_t occurrences of token t, p_t = c_t / N."""
    source: str
    caveat: str = ""
    """When not to believe it."""
    decimals: int = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric(Definition):
    """One metric."""

    function: Callable[[Any], float | None]
    scope: Scope = "text"
    per_document: Literal["bytes", "characters", "words", None] = None
    """The numerator of a ratio to tokens that can be taken for each document, so that it can be resampled."""
    inverse: bool = False
    """Whether the ratio of ``per_document`` is tokens to units, not units to tokens."""

    def as_dict(self) -> dict[str, str]:
        """Returns what a reader of the JSON needs to know about it."""
        shown = ("title", "unit", "direction", "definition", "formula", "source", "caveat", "scope")
        return {name: getattr(self, name) for name in shown}


def registered(families: Iterable[Iterable[Metric]]) -> dict[str, Metric]:
    """Returns the metrics of all families by name, in their order.

    A name that two of them share would be a defect of this package; the tests hold that there is none.
    """
    return {metric.name: metric for family in families for metric in family}
