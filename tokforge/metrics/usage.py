"""How the vocabulary is used: which tokens appear, how often, and which are formed only to be merged on.

*Formed* counts follow from the merges alone: whenever a token is emitted, the tokens it was merged from
were formed on the way. Source: LiteToken, arXiv 2602.04706 (merge residue).
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.metrics.compression import ratio
from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import Tally
from tokforge.metrics.vocabulary import Vocabulary

__all__ = ["METRICS", "formed_counts", "residue_suspects"]

Array: TypeAlias = npt.NDArray[Any]

RESIDUE_FORMED = 100
"""A suspect was formed at least so often: below that, its absence may be chance."""
RESIDUE_SHARE = 0.01
"""A suspect was kept in at most this share of the times it was formed."""


def formed_counts(vocabulary: Vocabulary, counts: Array) -> Array:
    """Returns (vocab,) int64: how often each token was emitted, or formed on the way to another.

    A token's first merge stands for the way it is formed; with ``ignore_merges`` that is an estimate.
    """
    formed = counts.astype(np.int64)
    for left, right, merged in reversed(vocabulary.merge_levels):
        np.add.at(formed, left, formed[merged])
        np.add.at(formed, right, formed[merged])
    return formed


def residue_suspects(vocabulary: Vocabulary, counts: Array) -> Array:
    """Returns the ids that are formed often and hardly ever kept, most often formed first."""
    formed = formed_counts(vocabulary, counts)
    is_suspect = vocabulary.ordinary & (formed >= RESIDUE_FORMED) & (counts <= RESIDUE_SHARE * formed)
    ids = np.flatnonzero(is_suspect & (vocabulary.lengths > 1))
    return ids[np.argsort(-formed[ids], kind="stable")]


def _utilisation(tally: Tally) -> float | None:
    ordinary = tally.vocabulary.ordinary
    return ratio(int(np.count_nonzero(tally.counts[ordinary])), int(ordinary.sum()))


def _never_used(tally: Tally) -> float | None:
    return float((tally.counts[tally.vocabulary.ordinary] == 0).sum())


def _mean_rank(tally: Tally) -> float | None:
    counts = np.sort(tally.counts[tally.counts > 0])[::-1]
    return ratio(float((counts * np.arange(1, len(counts) + 1)).sum()), int(counts.sum()))


def _residue(tally: Tally) -> float | None:
    if not tally.vocabulary.tokenizer.merges or not tally.total:
        return None
    suspects = len(residue_suspects(tally.vocabulary, tally.counts))
    return ratio(suspects, int(tally.vocabulary.ordinary.sum()))


METRICS = (
    Metric(
        name="utilisation",
        title="Vocabulary used",
        unit="share",
        direction="higher",
        definition="Share of the ordinary tokens that the text uses at least once.",
        formula="|{ordinary t: c_t > 0}| / |{ordinary t}|",
        source="Binary BPE, arXiv 2511.17573; TokEval",
        function=_utilisation,
        caveat="Grows with the size and the variety of the text.",
    ),
    Metric(
        name="never_used",
        title="Tokens never used",
        unit="tokens",
        direction="lower",
        definition="Ordinary tokens that the text never uses.",
        formula="|{ordinary t: c_t = 0}|",
        source="count",
        function=_never_used,
        decimals=0,
        caveat="Shrinks with the size and the variety of the text.",
    ),
    Metric(
        name="mean_token_rank",
        title="Mean token rank",
        unit="rank",
        direction="none",
        definition="Mean rank by frequency, from 1, of the tokens as they occur.",
        formula="sum c_t rank_t / N",
        source="TokEval",
        function=_mean_rank,
        decimals=1,
    ),
    Metric(
        name="residue_share",
        title="Merge residue",
        unit="share",
        direction="lower",
        definition="Share of ordinary tokens that merging forms 100 times or more and keeps in at most 1%.",
        formula="|{ordinary t: F_t >= 100, c_t <= 0.01 F_t}| / |{ordinary t}|, F_t the times t is formed",
        source="LiteToken, arXiv 2602.04706; thresholds ours",
        function=_residue,
        caveat="Suspects of under-training; only a model's embeddings prove it. Needs merges.",
    ),
)
