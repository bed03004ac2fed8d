"""What one tokenizer is, beside its metrics: pipeline, digits, lengths, ranks, suspects."""

from typing import Any

import numpy as np

from tokforge.metrics.reach import digit_grouping, lengths
from tokforge.metrics.tally import Tally
from tokforge.metrics.usage import formed_counts, residue_suspects
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import printable

__all__ = ["LISTED", "profile", "rank_curve", "superwords"]

LISTED = 20
"""Suspects and superwords that are named; the metrics count all."""


def profile(vocabulary: Vocabulary, total: Tally, name: str) -> dict[str, Any]:
    """Returns the description of a tokenizer as JSON values."""
    tokenizer = vocabulary.tokenizer
    return {
        "name": name,
        "kind": tokenizer.kind,
        "vocab_size": vocabulary.size,
        "merges": len(tokenizer.merges),
        "special_tokens": len(tokenizer.special_tokens),
        "normalizers": [str(stage) for stage in tokenizer.pipeline.normalizers],
        "pretokenizers": [str(stage) for stage in tokenizer.pipeline.pretokenizers],
        "digit_grouping": digit_grouping(tokenizer),
        "sha256": vocabulary.sha256,
        "token_bytes": {str(length): count for length, count in lengths(vocabulary).items()},
        "used_token_bytes": _used_lengths(total),
        "words_per_token": _words_per_token(total),
        "rank_curve": rank_curve(total),
        "residue": _residue(vocabulary, total),
        "unaligned_documents": total.unaligned,
        "spelled_share": total.spelled_share,
    }


def _used_lengths(total: Tally) -> dict[str, int]:
    """Length in bytes -> occurrences of tokens of that length."""
    sums = np.bincount(total.vocabulary.sizes, weights=total.counts)
    return {str(length): int(count) for length, count in enumerate(sums.tolist()) if count}


def _words_per_token(total: Tally) -> dict[str, int]:
    """Words in a token -> occurrences: the superword profile."""
    sums = np.bincount(total.vocabulary.words, weights=total.counts)
    return {str(words): int(count) for words, count in enumerate(sums.tolist()) if count}


def rank_curve(total: Tally) -> list[tuple[int, float]]:
    """Returns (rank, share of all tokens that ranks up to it make up), at about 60 ranks in even steps of
    their logarithm."""
    counts = np.sort(total.counts[total.counts > 0])[::-1]
    if not counts.size:
        return []
    shares = np.cumsum(counts) / counts.sum()
    ranks = np.unique(np.geomspace(1, len(counts), 60).round().astype(np.int64))
    return [(int(rank), round(float(shares[rank - 1]), 6)) for rank in ranks]


def superwords(tally: Tally) -> list[dict[str, Any]]:
    """Returns the commonest tokens of two words and more: text, id, words and occurrences."""
    vocabulary = tally.vocabulary
    counts = np.where(vocabulary.words > 1, tally.counts, 0)
    commonest = np.argsort(-counts, kind="stable")[:LISTED]
    return [
        {
            "id": token_id,
            "text": printable(vocabulary.tokens[token_id]),
            "words": int(vocabulary.words[token_id]),
            "count": int(counts[token_id]),
        }
        for token_id in commonest[counts[commonest] > 0].tolist()
    ]


def _residue(vocabulary: Vocabulary, total: Tally) -> list[dict[str, Any]]:
    if not vocabulary.tokenizer.merges:
        return []
    formed = formed_counts(vocabulary, total.counts)
    return [
        {
            "id": token_id,
            "text": printable(vocabulary.tokens[token_id]),
            "formed": int(formed[token_id]),
            "kept": int(total.counts[token_id]),
        }
        for token_id in residue_suspects(vocabulary, total.counts)[:LISTED].tolist()
    ]
