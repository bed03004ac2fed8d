"""From tallies to the values of every metric: overall, by category, and with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.metrics import compression, entropy, fairness, pieces, reach, speed, usage
from tokforge.metrics.registry import Metric, registered
from tokforge.metrics.resampling import LEAST_DOCUMENTS, LEVEL, draws, interval, sign_flip_p
from tokforge.metrics.tally import Tally
from tokforge.metrics.vocabulary import Vocabulary

__all__ = ["METRICS", "PairTest", "Resampled", "Values", "pair_tests", "resampled", "values_of"]

Array: TypeAlias = npt.NDArray[Any]
Interval: TypeAlias = tuple[float, float] | None

METRICS: dict[str, Metric] = registered(
    module.METRICS for module in (compression, entropy, usage, pieces, fairness, reach, speed)
)
"""Every metric by name."""

UNITS = ("bytes", "characters", "words")


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """One metric of one tokenizer."""

    overall: float | None
    interval: Interval = None
    """Central 95% over draws of documents; None for metrics that are no ratio of sums over documents."""
    categories: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resampled:
    """Sums over documents in each draw: (draws, columns) of bytes, characters, words, then each tokenizer."""

    categories: dict[str, Array | None]
    """None for a category with one document."""
    tokenizers: tuple[str, ...]

    def overall(self) -> Array | None:
        """Returns the sums over all categories, or None where one cannot be drawn from."""
        known = [sums for sums in self.categories.values() if sums is not None]
        return sum(known[1:], known[0]) if known and len(known) == len(self.categories) else None

    def interval(self, metric: Metric, tokenizer: str, sums: Array | None) -> Interval:
        """Returns the interval of a ratio metric, or None."""
        if sums is None or metric.per_document is None:
            return None
        units = sums[:, UNITS.index(metric.per_document)]
        tokens = sums[:, len(UNITS) + self.tokenizers.index(tokenizer)]
        over, under = (tokens, units) if metric.inverse else (units, tokens)
        return interval(over / under) if under.all() else None


def resampled(
    units: Mapping[str, Array], tokens: Mapping[str, Mapping[str, Array]], *, resamples: int, seed: int
) -> Resampled:
    """Draws documents of each category.

    Shapes:
        units: category -> (documents, 3), bytes, characters and words of each document.
        tokens: category -> tokenizer -> (documents,).
    """
    tokenizers = tuple(next(iter(tokens.values()), {}))
    drawn: dict[str, Array | None] = {}
    for number, (category, columns) in enumerate(units.items()):
        values = np.column_stack([columns, *tokens[category].values()])
        one = np.zeros(len(values), np.int64)
        enough = len(values) > 1 and resamples > 0
        drawn[category] = draws(values, one, resamples=resamples, seed=seed + number) if enough else None
    return Resampled(drawn, tokenizers)


def values_of(
    vocabulary: Vocabulary, tallies: Mapping[str, Tally], total: Tally, drawn: Resampled, *, parallel: bool
) -> dict[str, Values]:
    """Returns the values of every metric for one tokenizer; ``tallies`` by category."""
    costs = [fairness.cost(one, parallel=parallel) for one in tallies.values()]
    known = np.array([cost for cost in costs if cost is not None])
    overall = drawn.overall()
    values: dict[str, Values] = {}
    for name, metric in METRICS.items():
        if metric.scope == "text":
            values[name] = _text_values(metric, vocabulary.name, tallies, total, drawn, overall)
        else:
            argument = vocabulary if metric.scope == "vocabulary" else known
            values[name] = Values(overall=metric.function(argument))
    return values


def _text_values(
    metric: Metric, name: str, tallies: Mapping[str, Tally], total: Tally, drawn: Resampled, sums: Any
) -> Values:
    return Values(
        overall=metric.function(total),
        interval=drawn.interval(metric, name, sums),
        categories={category: metric.function(one) for category, one in tallies.items()},
        intervals={
            category: drawn.interval(metric, name, drawn.categories[category]) for category in tallies
        },
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PairTest:
    """Two tokenizers on the same documents."""

    first: str
    second: str
    difference: float
    """Tokens of the second over those of the first, less 1: negative if the second needs fewer."""
    interval: Interval
    p_value: float | None
    """Sign-flip test over documents; None for a single document."""
    close: bool
    """Whether a test that could tell the two apart did not: an interval that holds 0, or p above 0.05."""
    undecided: str | None
    """Why no test on these documents could tell the two apart, whatever they hold; None where one could."""


def pair_tests(
    totals: Mapping[str, Tally], drawn: Resampled, *, resamples: int, seed: int
) -> tuple[PairTest, ...]:
    """Tests every two tokenizers."""
    return tuple(
        _pair(totals[first], totals[second], drawn, resamples=resamples, seed=seed)
        for first, second in combinations(totals, 2)
    )


def _pair(first: Tally, second: Tally, drawn: Resampled, *, resamples: int, seed: int) -> PairTest:
    names = [first.vocabulary.name, second.vocabulary.name]
    sums, bounds, p_value = drawn.overall(), None, None
    if sums is not None:
        mine, theirs = (sums[:, len(UNITS) + drawn.tokenizers.index(name)] for name in names)
        bounds = interval(theirs / mine - 1)
    differences = second.tokens - first.tokens
    if len(differences) > 1 and resamples:
        p_value = sign_flip_p(differences, resamples=resamples, seed=seed)
    undecided = _undecided(differences, resamples)
    # Where one text of several is a single document there are no intervals, and the test stands alone.
    spans_zero = bounds is not None and bounds[0] <= 0 <= bounds[1]
    apart = p_value is not None and p_value <= 1 - LEVEL and not spans_zero
    return PairTest(
        first=names[0],
        second=names[1],
        difference=second.total / first.total - 1 if first.total else 0.0,
        interval=bounds,
        p_value=p_value,
        close=not apart and undecided is None,
        undecided=undecided,
    )


def _undecided(differences: Array, resamples: int) -> str | None:
    """Says why the sign-flip test of these documents cannot reach its level, if it cannot."""
    if len(differences) == 1:
        return "there is one document"
    if not resamples:
        return "no draws were asked for"
    differing = int(np.count_nonzero(differences))
    if 0 < differing < LEAST_DOCUMENTS:
        noun = "document differs" if differing == 1 else "documents differ"
        return f"{differing} {noun}, and no test of fewer than {LEAST_DOCUMENTS} can be sure"
    return None
