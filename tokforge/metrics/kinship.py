"""Which tokenizer descends from which: shared tokens, and the common beginning of the merges.

Tokens and merges are compared as the bytes of text that they stand for, so ids and spellings do not
matter. A trainer that continues another's merges, or cuts them off, leaves a whole prefix behind;
unrelated corpora share a handful.
Source: data mixture inference, arXiv 2407.16607, for what a merge order gives away; the rule is ours.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from tokforge.metrics.vocabulary import Vocabulary

__all__ = ["Kinship", "common_prefix", "kinship", "kinships"]

RELATED_MERGES = 1000
"""Common first merges that two trainings on different corpora do not reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinship:
    """Two tokenizers and what they share."""

    first: str
    second: str
    shared_tokens: int
    jaccard: float
    """Shared ordinary tokens over those of either."""
    common_merges: int
    """Length of the common prefix of the merges, as pairs of bytes."""
    common_share: float | None
    """That over the shorter list; None where one has no merges."""
    relation: Literal[
        "same merges", "first extends second", "second extends first", "common ancestor", "none"
    ]

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


def kinships(vocabularies: Sequence[Vocabulary]) -> tuple[Kinship, ...]:
    """Returns the kinship of every two tokenizers."""
    sets = [_tokens(vocabulary) for vocabulary in vocabularies]
    return tuple(
        kinship(vocabularies[i], vocabularies[j], len(sets[i] & sets[j]), len(sets[i] | sets[j]))
        for i, j in combinations(range(len(vocabularies)), 2)
    )


def kinship(first: Vocabulary, second: Vocabulary, shared: int, either: int) -> Kinship:
    """Returns what ``first`` and ``second`` share; ``shared`` and ``either`` count their tokens."""
    common = common_prefix(first, second)
    mine, theirs = len(first.tokenizer.merges), len(second.tokenizer.merges)
    shorter = min(mine, theirs)
    return Kinship(
        first=first.name,
        second=second.name,
        shared_tokens=shared,
        jaccard=shared / either if either else 0.0,
        common_merges=common,
        common_share=common / shorter if shorter else None,
        relation=_relation(common, mine, theirs),
    )


def common_prefix(first: Vocabulary, second: Vocabulary) -> int:
    """Returns how many first merges are the same pairs of byte strings."""
    pairs = zip(first.tokenizer.merges, second.tokenizer.merges, strict=False)
    common = 0
    for mine, theirs in pairs:
        if any(first.spelled[a] != second.spelled[b] for a, b in zip(mine[:2], theirs[:2], strict=True)):
            break
        common += 1
    return common


def _relation(common: int, mine: int, theirs: int) -> Any:
    if common and common == mine == theirs:
        return "same merges"
    if common and common == min(mine, theirs):
        return "second extends first" if common == mine else "first extends second"
    return "common ancestor" if common >= RELATED_MERGES else "none"


def _tokens(vocabulary: Vocabulary) -> frozenset[bytes]:
    return frozenset(
        token for token, holds in zip(vocabulary.spelled, vocabulary.ordinary.tolist(), strict=True) if holds
    )
