"""Which merges of a tokenizer say something about its training data, in which order.

A trained byte-level BPE lists its merges in the order they were made. Tokenizers that cannot answer are
refused with the reason; merges that another tokenizer bequeathed are applied but not judged.
"""

from dataclasses import dataclass, replace

from tokforge.errors import ConfigError
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.model import Merge

__all__ = ["MergeList", "merge_list"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeList:
    """The first T merges of a tokenizer."""

    merges: tuple[Merge, ...]
    lens: tuple[int, ...]
    """Bytes of each id's token; 0 where it takes no part in merging."""
    byte_ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    available: int
    """Merges that the tokenizer has."""
    first: int = 0
    """First merge to judge."""

    def shortened(self, stop: int) -> "MergeList":
        """Returns the list without the merges from ``stop`` on."""
        return replace(self, merges=self.merges[:stop])


def merge_list(tokenizer: Tokenizer, merges: int | None, first: int = 0) -> MergeList:
    """Returns the first ``merges`` merges behind ``first``; all if None.

    Raises ConfigError for a tokenizer without merges.
    """
    available = tokenizer.merges
    if not available:
        raise ConfigError(
            "the tokenizer has no merges, and their order is what tells of its training data",
            "give a BPE tokenizer; Unigram and WordPiece do not record the order of their choices",
        )
    if first >= len(available):
        raise ConfigError(
            f"all {len(available)} merges are inherited", "there is nothing of its own to judge"
        )
    stop = len(available) if merges is None else min(first + merges, len(available))
    ordinary = tokenizer.table.ordinary()
    return MergeList(
        merges=available[:stop],
        lens=tuple(len(token or b"") for token in ordinary),
        byte_ids=tuple(tokenizer.table.byte_ids()),
        tokens=tokenizer.table.tokens,
        available=len(available),
        first=first,
    )
