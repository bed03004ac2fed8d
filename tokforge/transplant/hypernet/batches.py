"""One pass of stage 2 as arrays: texts under a sampled tokenizer, and the rows that the pass uses.

Rows are numbered locally: the prefix, the tokens of the batch, then ``negatives`` others of the tokenizer. A
token that the model has is *known* and keeps its row; the others are *new*. A negative stands for all that
were not drawn: its logit gets the logarithm of how many, so that the softmax estimates that over the
whole vocabulary (Bengio and Senecal 2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokforge.transplant.hypernet.cuts import Cuts, Cutter
from tokforge.transplant.hypernet.samplers import Segmented

__all__ = ["Pass", "make_pass"]

Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Pass:
    """What one pass of the model needs."""

    name: str
    inputs: Ids
    """(sequences, length) - local rows, -1 behind the end."""
    known: Ids
    """(rows,) - the old id of a known row, else -1."""
    cuts: Cuts
    """Of the rows that are predicted: the new ones, and for the lexical loss all."""
    predicted: Ids
    """(predicted,) - local rows that ``cuts`` belong to."""
    log_weight: np.ndarray[Any, np.dtype[np.float32]]
    """(rows,) - added to the logits."""
    bytes: int
    """Bytes that the tokens of ``inputs`` spell, the prefix left out."""
    old: Ids
    """(sequences, old length) - the same texts under the old tokenizer, -1 behind the end."""
    ends: Ids
    """(pairs, 3) - sequence, place in ``inputs`` and place in ``old`` where tokens of both end."""


def make_pass(
    segmented: Segmented, cutter: Cutter, rng: np.random.Generator, *, prefix: int, length: int,
    negatives: int, everything: bool = False, aligned: bool = True,
) -> Pass:  # fmt: skip
    """Makes a pass; ``everything`` predicts known tokens, too, ``aligned`` finds common ends."""
    ids = [one[: length - 1] for one in segmented.ids]
    used = np.unique(np.concatenate(ids))
    rest = np.setdiff1d(_ordinary(segmented.tokens), used, assume_unique=True)
    drawn = rng.choice(rest, min(negatives, len(rest)), replace=False)
    keys = [segmented.tokens[i] or b"" for i in np.concatenate([used, drawn])]
    known = np.array([prefix, *(cutter.old.index.get(key, -1) for key in keys)], np.int64)
    weight = np.zeros(len(known), np.float32)
    weight[1 + len(used) :] = np.log(len(rest) / max(len(drawn), 1)) if len(drawn) else 0
    predicted = np.flatnonzero(known < 0) if not everything else np.arange(1, len(known))
    spelled = [[segmented.tokens[i] or b"" for i in one] for one in ids]
    old, ends = _aligned(spelled, cutter, prefix) if aligned else (np.empty((len(ids), 0), np.int64), _NONE)
    return Pass(
        name=segmented.name,
        inputs=_padded([[0, *(1 + np.searchsorted(used, one))] for one in ids]),
        known=known,
        cuts=cutter.cut([keys[i - 1] for i in predicted]),
        predicted=predicted,
        log_weight=weight,
        bytes=sum(len(token) for one in spelled for token in one),
        old=old,
        ends=ends,
    )


_NONE = np.empty((0, 3), np.int64)


def _ordinary(tokens: Sequence[bytes | None]) -> Ids:
    return np.array([i for i, token in enumerate(tokens) if token], np.int64)


def _aligned(spelled: Sequence[Sequence[bytes]], cutter: Cutter, prefix: int) -> tuple[Ids, Ids]:
    """Encodes the same bytes with the old tokenizer, and finds the places where tokens of both end."""
    lines, pairs = [], []
    for n, tokens in enumerate(spelled):
        old = cutter.old.encode(b"".join(tokens).decode("utf-8", "ignore"))
        lines.append([prefix, *old])
        theirs = np.cumsum([len(cutter.old.keys[i] or b"") for i in old])
        mine = np.cumsum([len(token) for token in tokens])
        _, here, there = np.intersect1d(mine, theirs, assume_unique=False, return_indices=True)
        pairs.append(np.stack([np.full(len(here), n), here + 1, there + 1], 1))
    return _padded(lines), np.concatenate([_NONE, *pairs]).astype(np.int64)


def _padded(lines: Sequence[Sequence[int]]) -> Ids:
    made = np.full((len(lines), max(map(len, lines))), -1, np.int64)
    for n, line in enumerate(lines):
        made[n, : len(line)] = line
    return made
