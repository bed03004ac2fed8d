"""How evenly tokens are used. All logarithms are to base 2.

`renyi_efficiency` with the observed types for denominator equals tokenization-scorer's
``renyi_efficiency(power=2.5)``; with the vocabulary's size, the same with ``vocab`` given.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import Tally

__all__ = ["ALPHA", "METRICS", "renyi_efficiency", "renyi_entropy"]

Array: TypeAlias = npt.NDArray[Any]

ALPHA = 2.5
"""The order that Zouhar et al. found to correlate best with translation quality."""


def renyi_entropy(counts: Array, alpha: float) -> float | None:
    """Returns H_alpha of the frequencies in bits, Shannon's for alpha 1; None for no counts.

    Shapes:
        counts: (types,) non-negative integers.
    Example:
        >>> renyi_entropy(np.array([2, 2, 0]), 2.5)
        1.0
    """
    used = counts[counts > 0]
    if not used.size:
        return None
    shares = used / used.sum()
    if alpha == 1:
        return abs(float(-(shares * np.log2(shares)).sum()))
    return abs(float(np.log2((shares**alpha).sum()) / (1 - alpha)))


def renyi_efficiency(counts: Array, alpha: float, types: int) -> float | None:
    """Returns H_alpha over the entropy of ``types`` equally frequent tokens; None for fewer than 2 types."""
    entropy = renyi_entropy(counts, alpha)
    return None if entropy is None or types < 2 else entropy / float(np.log2(types))


def _shannon(tally: Tally) -> float | None:
    return renyi_entropy(tally.counts, 1)


def _efficiency(tally: Tally) -> float | None:
    return renyi_efficiency(tally.counts, ALPHA, tally.vocabulary.size)


def _observed_efficiency(tally: Tally) -> float | None:
    return renyi_efficiency(tally.counts, ALPHA, int(np.count_nonzero(tally.counts)))


def _unigram_bits(tally: Tally) -> float | None:
    entropy = renyi_entropy(tally.counts, 1)
    return None if entropy is None or not tally.bytes else tally.total * entropy / tally.bytes


_GAMED = "Useless but evenly used tokens raise it."

METRICS = (
    Metric(
        name="shannon_entropy",
        title="Shannon entropy",
        unit="bits/token",
        direction="none",
        definition="Mean information of a token under the text's own token frequencies.",
        formula="-sum p_t log2 p_t",
        source="Shannon 1948",
        function=_shannon,
    ),
    Metric(
        name="renyi_efficiency",
        title="Rényi efficiency (α = 2.5, vocabulary)",
        unit="share",
        direction="higher",
        definition="Rényi entropy of order 2.5 over that of a vocabulary whose tokens are used equally.",
        formula="log2(sum p_t^2.5) / (1 - 2.5) / log2 V",
        source="Zouhar et al. 2023, arXiv 2306.16842; tokenization-scorer with vocab=V",
        function=_efficiency,
        caveat=_GAMED,
    ),
    Metric(
        name="renyi_efficiency_observed",
        title="Rényi efficiency (α = 2.5, observed types)",
        unit="share",
        direction="higher",
        definition="The same, divided by the entropy of the types that the text uses.",
        formula="log2(sum p_t^2.5) / (1 - 2.5) / log2 |{t: c_t > 0}|",
        source="tokenization-scorer's default denominator",
        function=_observed_efficiency,
        caveat=_GAMED + " A small text uses few types, which raises it too.",
    ),
    Metric(
        name="unigram_bits_per_byte",
        title="Unigram bits per byte",
        unit="bits/byte",
        direction="lower",
        definition="Size of the text under an ideal code for single tokens, for each byte.",
        formula="N H_1 / B",
        source="own; comparable across vocabularies, since the unit is a byte",
        function=_unigram_bits,
        caveat="Counts the text alone, not the vocabulary: a larger one always gains.",
    ),
)
