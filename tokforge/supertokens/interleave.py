"""Merges word merges and supermerges by count: BoundlessBPE's order, and what it keeps of both.

Definition (arXiv 2604.05192): both lists fall in count; the next supermerge comes before the next word
merge only if its count is strictly greater, so that on a tie a parent comes first; the table is full when
both together have made its tokens. What is not reached by then is dropped. The order of the ids is bytes,
word merges, supermerges. Complexity: linear.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.model import Merge

if TYPE_CHECKING:
    from tokforge._core import Training

__all__ = ["interleave", "new_counts"]


def interleave(
    words: Tokenizer, word_counts: Sequence[int], supermerges: "Training", size: int
) -> tuple[int, list[Merge]]:
    """Returns how many ids of ``words`` are kept, and the supermerges with ids that follow those.

    Without ``word_counts`` all words are kept, as in the published SuperBPE mode.
    """
    counts, total = new_counts(words, word_counts), words.vocab_size
    merges, super_counts = list(supermerges.merges), list(supermerges.counts)  # each access copies
    kept, top, taken = total - len(counts), total, 0
    while kept + top - total < size:
        next_word = counts[kept - total] if kept < total else 0
        next_super = super_counts[taken] if taken < len(merges) else 0
        if next_word == next_super == 0:
            break
        if next_word >= next_super:
            kept += 1
        else:
            top = max(top, merges[taken][2] + 1)
            taken += 1
    return kept, [_moved(merge, total, kept) for merge in merges[:taken]]


def _new_ids(words: Tokenizer) -> list[int]:
    """The ids that merges made, ascending."""
    first = words.vocab_size
    made = {merged for _, _, merged in words.merges}
    while first - 1 in made:
        first -= 1
    return list(range(first, words.vocab_size))


def new_counts(words: Tokenizer, word_counts: Sequence[int]) -> list[int]:
    """Returns, in the order of the ids that merges made, how often each merge occurred; [] for no counts."""
    if not word_counts:
        return []
    first: dict[int, int] = {}
    for (_, _, merged), count in zip(words.merges, word_counts, strict=True):
        first.setdefault(merged, count)
    return [first[token_id] for token_id in _new_ids(words)]


def _moved(merge: Merge, total: int, kept: int) -> Merge:
    """Ids from ``total`` on follow the ``kept`` ones."""
    left, right, merged = (token_id - total + kept if token_id >= total else token_id for token_id in merge)
    return left, right, merged
