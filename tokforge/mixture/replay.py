"""Merge lists applied to references: the counts that every estimator works on."""

import numpy as np

from tokforge.errors import InputError
from tokforge.inputs import Progress
from tokforge.mixture.history import History
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.programme import Rows
from tokforge.mixture.references import References

__all__ = ["replay", "replay_by_column"]


def replay(references: References, listed: MergeList, *, progress: Progress | None = None) -> History:
    """Replays the merges over all categories.

    Raises InputError for a category without a single pair: none of them outranks any merge, so the programme
    would give it everything.
    """
    engine = references.table.replay(
        listed.merges, lens=listed.lens, byte_ids=listed.byte_ids,
        category_of=references.category_of, progress=progress,
    )  # fmt: skip
    history = History.of(engine, references.category_of, listed.first, listed.built)
    for name, pairs in zip(references.names, history.by_category(history.totals), strict=True):
        if not pairs:
            raise InputError("has no word of two symbols or more", "give it text, or leave it out", name)
    return history


def replay_by_column(references: References, listed: MergeList, history: History, rows: Rows) -> History:
    """Replays the merges over all shards, noting only the pairs that the programme speaks of."""
    named = [(int(left), int(right)) for left, right in history.pairs[np.unique(rows.pairs)]]
    columns = range(len(references.category_of))
    engine = references.table.replay(
        listed.merges, lens=listed.lens, byte_ids=listed.byte_ids, category_of=columns, only=named
    )
    return History.of(engine, columns, listed.first, listed.built)
