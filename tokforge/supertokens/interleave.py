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
    from tokforge.supertokens.across import Across

__all__ = ["interleave", "new_counts"]


def interleave(
    words: Tokenizer, word_counts: Sequence[int], supermerges: "Across", size: int
) -> tuple[int, list[Merge]]:
    """Returns how many ids of ``words`` are kept, and the supermerges with ids that follow those.

    Without ``word_counts`` all words are kept, as in the published SuperBPE mode.
    """
    counts, total = new_counts(words, word_counts), words.vocab_size
    merges, super_counts = supermerges.merges, supermerges.counts
    kept, taken = total - len(counts), 0
    across: set[int] = set()
    """Products of the supermerges taken that no kept word spells."""
    while kept + len(across) < size:
        next_word = counts[kept - total] if kept < total else 0
        next_super = super_counts[taken] if taken < len(merges) else 0
        if next_word == next_super == 0:
            break
        if next_word >= next_super:
            across.discard(kept)  # a supermerge spelled this word before the word's own merges did
            kept += 1
        else:
            across |= {merges[taken][2]} if merges[taken][2] >= kept else set()
            taken += 1
    return kept, _renumbered(merges[:taken], kept)


def _renumbered(merges: Sequence[Merge], kept: int) -> list[Merge]:
    """Ids from ``kept`` on, those of dropped words among them, follow the kept ones as they are made."""
    ids: dict[int, int] = {}
    for _, _, merged in merges:
        if merged >= kept:
            ids.setdefault(merged, kept + len(ids))
    return [(ids.get(left, left), ids.get(right, right), ids.get(made, made)) for left, right, made in merges]


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
