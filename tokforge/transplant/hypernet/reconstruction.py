"""Stage 1: the model's own tokens, cut anew, must map to their own rows. No pass of the model is needed.

Half of the tokens are cut by dropped merges (`resplit`), half by a segmentation drawn at random among the
old tokens. A tenth of the vocabulary, by hash, is held out. The loss is the squared error in
standard deviations, averaged over the columns.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tokforge.transplant.hypernet.cuts import Cuts, cuts_of
from tokforge.transplant.resplit import resplit
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["OwnTokens", "is_held_out", "reconstruction_loss"]

_EPOCH = 64
"""Steps after which merges are dropped anew."""


def is_held_out(key: bytes) -> bool:
    """Tells whether a token is never shown in stage 1."""
    return zlib.crc32(key) % 10 == 0


@dataclass
class OwnTokens:
    """Draws tokens of the model's vocabulary and cuts them anew; the same for the same (seed, step)."""

    old: Vocabulary
    rows: int
    seed: int
    kept: dict[int, dict[int, tuple[int, ...]]] = field(default_factory=dict)

    def sample(self, step: int, count: int) -> tuple[np.ndarray[Any, Any], Cuts]:
        """Returns ids, (count,), and pieces of tokens that are not held out."""
        rng = np.random.default_rng([self.seed, 1, step])
        epoch = step // _EPOCH
        if epoch not in self.kept:
            self.kept = {epoch: self.cuts(epoch)}
        cut = self.kept[epoch]
        ids = rng.choice(np.fromiter(cut, np.int64), count)
        pieces = [cut[int(i)] if rng.random() < 0.5 else self._drawn(int(i), rng) for i in ids]
        return ids, cuts_of(pieces, self.old, self.rows)

    def cuts(self, epoch: int, held_out: bool = False) -> dict[int, tuple[int, ...]]:
        """Returns id -> pieces of the tokens that can be cut, of those held out or of the others."""
        found = resplit(self.old, seed=self.seed + epoch)
        return {i: ids for i, ids in found.items() if is_held_out(self.old.keys[i] or b"") == held_out}

    def _drawn(self, token: int, rng: np.random.Generator) -> Sequence[int]:
        key, index = self.old.keys[token] or b"", self.old.index
        found: list[int] = []
        at = 0
        while at < len(key):
            ends = [end for end in range(at + 1, len(key) + (at > 0)) if key[at:end] in index]
            if not ends:
                return (token,)
            end = ends[int(rng.integers(len(ends)))]
            found.append(index[key[at:end]])
            at = end
        return found


def reconstruction_loss(net: Any, rows: Any, ids: Any, cuts: tuple[Any, Any]) -> Any:
    """Returns the mean squared error of the rows of tokens ``ids``, in squared standard deviations."""
    import torch

    found = torch.cat(list(net(rows, *cuts).values()), 1)
    return (((found - rows.table[ids]) / rows.deviation) ** 2).mean()
