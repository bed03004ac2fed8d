"""The text of healing: windows in a fixed order, held-out ones apart, and ends that two tokenizers share.

Invariants: the windows of a step follow from seed and step alone, so a resumed run sees what an
uninterrupted one sees; a held-out window is never trained on, and lies in a block of held-out ones, so
that few of its neighbours are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.errors import InputError
from tokforge.transplant.evaluate.windows import Window, cut_windows
from tokforge.transplant.heal.config import HealConfig
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Text", "read_text", "shared_ends", "token_ends"]

_BLOCK, _PART = 8, 10


@dataclass(frozen=True, eq=False)
class Text:
    """Windows to train on, and to validate on."""

    training: tuple[str, ...]
    held_out: tuple[Window, ...]

    def of_step(self, step: int, config: HealConfig) -> list[list[str]]:
        """Returns the batches of a step: ``accumulate`` times ``batch`` windows."""
        size = config.batch * config.accumulate
        places = [self._place(step * size + n, config.seed) for n in range(size)]
        texts = [self.training[place] for place in places]
        return [texts[n : n + config.batch] for n in range(0, size, config.batch)]

    def _place(self, number: int, seed: int) -> int:
        epoch, at = divmod(number, len(self.training))
        return int(np.random.default_rng([seed, epoch]).permutation(len(self.training))[at])


def read_text(paths: Sequence[str], config: HealConfig) -> Text:
    """Reads windows of ``paths``, as many as the steps need. Raises InputError for too little text."""
    wanted = config.steps * config.batch * config.accumulate * _PART // (_PART - 1)
    count = max(_PART * config.held_out, wanted)
    windows = cut_windows(paths, size=config.window, count=count, field=config.text_field)
    if len(windows) < 2:
        raise InputError("one window of text", "give more text, or use a smaller window", str(paths[0]))
    block = max(1, min(_BLOCK, len(windows) // _PART))
    held = [n for n in range(len(windows)) if n // block % _PART == _PART - 1] or [len(windows) - 1]
    kept = held[:: -(-len(held) // config.held_out)]
    apart = frozenset(held)
    training = tuple(one.text for n, one in enumerate(windows) if n not in apart)
    return Text(training, tuple(windows[n] for n in kept))


def token_ends(vocabulary: Vocabulary, ids: Sequence[int], text: str) -> npt.NDArray[np.int64] | None:
    """Returns the byte of ``text`` at which each token ends; None where the tokens do not spell it."""
    ends = np.cumsum(vocabulary.byte_lengths(ids), dtype=np.int64)
    surplus = int(ends[-1]) - len(text.encode()) if len(ends) else -1
    if surplus not in (0, 1) or vocabulary.decode(list(ids)).strip() != text.strip():
        return None
    return ends - surplus


def shared_ends(
    own: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the places, in each, of the ends that both have.

    Example:
        >>> [places.tolist() for places in shared_ends(np.array([1, 3, 6]), np.array([2, 3, 6]))]
        [[1, 2], [1, 2]]
    """
    _, mine, others = np.intersect1d(own, other, return_indices=True)
    return mine.astype(np.int64), others.astype(np.int64)
