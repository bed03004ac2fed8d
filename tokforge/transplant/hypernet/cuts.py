"""New tokens as the network reads them: pieces under the model's own tokenizer, and each one's weight.

Ids from ``rows`` on stand for bytes that the old vocabulary lacks: ``rows + byte``. Weights are by length in
bytes and sum to 1; missing bytes have one only where a token is nothing else, as in the heuristics. Rows are
padded with -1 to the longest of the block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Cuts", "Cutter", "cuts_of"]

_MOST_KEPT = 1 << 20


@dataclass(frozen=True)
class Cuts:
    """The pieces of some tokens."""

    ids: npt.NDArray[np.int64]
    """(tokens, longest) - old ids, -1 behind the last."""
    weights: npt.NDArray[np.float32]
    """(tokens, longest) - what the base sums them with."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Cutter:
    """Cuts keys (see `Vocabulary`), and remembers how."""

    old: Vocabulary
    rows: int
    """Rows of the old matrix."""
    kept: dict[bytes, tuple[int, ...]] = field(default_factory=dict)

    def cut(self, keys: Sequence[bytes]) -> Cuts:
        """Returns the pieces of each key: at least one."""
        if len(self.kept) > _MOST_KEPT:
            self.kept.clear()
        waiting = [key for key in dict.fromkeys(keys) if key not in self.kept]
        for key, ids in zip(waiting, self.old.pieces(waiting), strict=True):
            self.kept[key] = tuple(ids) if self._spells(ids, key) else self._by_bytes(key)
        return cuts_of([self.kept[key] for key in keys], self.old, self.rows)

    def _spells(self, ids: Sequence[int], key: bytes) -> bool:
        """Whether nothing was dropped; a normaliser may have changed what is there."""
        return sum(len(self.old.keys[i] or b"") for i in ids) >= len(self.old.normalized(key)) > 0

    def _by_bytes(self, key: bytes) -> tuple[int, ...]:
        """Cuts around the bytes that the old vocabulary lacks."""
        index = self.old.index
        known = [index.get(bytes([value])) for value in key]
        return tuple(self.rows + value if i is None else i for value, i in zip(key, known, strict=True)) or (
            self.rows,
        )


def cuts_of(pieces: Sequence[Sequence[int]], old: Vocabulary, rows: int) -> Cuts:
    """Returns listed pieces as arrays."""
    longest = max(map(len, pieces), default=1)
    ids = np.full((len(pieces), longest), -1, np.int64)
    for n, one in enumerate(pieces):
        ids[n, : len(one)] = one
    lengths = np.array(
        [len(key or b"?") for key in old.keys] + [1] * (rows - len(old)) + [0] * 256, np.float32
    )
    weights = np.where(ids >= 0, lengths[ids], 0).astype(np.float32)
    lost = weights.sum(1) == 0
    weights[lost] = ids[lost] >= 0
    return Cuts(ids, weights / weights.sum(1, keepdims=True))
