"""Prunes a BPE vocabulary by use: the least used leaf goes first, until the size is reached.

Definition: a *leaf* is a token that no merge has as a side; byte tokens, added tokens, the unknown
token and those to be kept never go. One step removes the leaf with the fewest occurrences in the corpus
(ties: the one whose merge comes last, then the highest id) and counts the corpus anew as the remaining
merges cut it. Unused ids go first: they cost rows and have no occurrences.

Invariants: merges stay closed at each step; counts are exact, not estimates: where a leaf stood, its
text is encoded again, with as many neighbours as change. Why that is enough: a leaf that is formed is
never merged further, so only texts that hold it change; and two segmentations that share a token on
either side of a stretch may be joined there (the theorem of `core/src/encode/validity.rs`).
Complexity: a heap step for each removal, and for each occurrence of a removed token the encoding of a
few tokens; memory 4 bytes a corpus byte and 8 a token. Twin: `_reference.prune_slow`.
Source: leaf pruning for vocabulary adaptation, arXiv 2512.03989; recounting exactly is ours.
"""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer._reference import merge_piece
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import edited, moved
from tokforge.tokenizer.edit.references import referenced_ids
from tokforge.tokenizer.edit.remove import compacting
from tokforge.tokenizer.model import BpeModel, Definition
from tokforge.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokforge._core import Encoder

__all__ = ["PruneStep", "Pruned", "protected_ids", "prune", "require_prunable"]

Progress = Callable[[str, int, int], object]


class PruneStep(NamedTuple):
    """One removal."""

    id: int
    """The old id."""
    occurrences: int
    """How often the corpus held it when it went."""
    tokens: int
    """Tokens of the corpus after it went."""


class Pruned(NamedTuple):
    """What pruning returns."""

    tokenizer: Tokenizer
    id_map: IdMap
    steps: tuple[PruneStep, ...]


def prune(
    tokenizer: Tokenizer,
    texts: Mapping[bytes, int],
    vocab_size: int,
    *,
    keep: Collection[int] = (),
    progress: Progress | None = None,
) -> Pruned:
    """Returns the tokenizer cut down to ``vocab_size`` ids by use.

    Args:
        texts: pretoken -> occurrences, as the tokenizer's splitter cuts the corpus (whole documents
            where it has none).
        keep: ids that must stay, and so what they are made of.
        progress: called with the phase "prune" and removals, done and in all.

    Raises:
        ConfigError: the model is no byte-level BPE, or fewer ids than asked for may go.
    """
    definition = tokenizer.definition
    model = require_prunable(tokenizer)
    excess = tokenizer.vocab_size - vocab_size
    if excess < 0:
        raise ConfigError(
            f"vocab_size is {vocab_size}, above the {tokenizer.vocab_size} there are", "use a smaller size"
        )
    fixed = protected_ids(definition, keep)
    leaves = _Leaves(definition, model, fixed)
    use = _Use(definition, model, texts)
    steps = tuple(_steps(leaves, use, excess, progress))
    if len(steps) < excess:
        least = tokenizer.vocab_size - len(steps)
        raise ConfigError(
            f"vocab_size is {vocab_size}, and only {len(steps)} ids may go", f"use {least} or more"
        )
    id_map = compacting(tokenizer.vocab_size, [step.id for step in steps])
    note = {"operation": "prune", "vocab_size": vocab_size, "removed": len(steps)}
    return Pruned(*edited(tokenizer, moved(definition, id_map), id_map, note), steps)


def require_prunable(tokenizer: Tokenizer) -> BpeModel:
    """Returns the model; raises ConfigError if it is no byte-level BPE."""
    model = tokenizer.definition.model
    spelled = isinstance(model, BpeModel) and (model.continuing_subword_prefix or model.end_of_word_suffix)
    if not isinstance(model, BpeModel) or model.atoms != "bytes" or spelled:
        raise ConfigError("only byte-level BPE is pruned by use", "remove tokens by name instead")
    return model


def protected_ids(definition: Definition, keep: Collection[int]) -> set[int]:
    """Returns the ids that pruning leaves: bytes, added tokens, the unknown token, named ones, ``keep``."""
    kinds = definition.table.kinds
    fixed = {token_id for token_id, kind in enumerate(kinds) if kind in ("byte", "special", "added")}
    fixed |= (
        {token.id for token in definition.added_tokens} | set(keep) | set(referenced_ids(definition.pipeline))
    )
    unk_id = definition.model.unk_id
    return fixed if unk_id is None else fixed | {unk_id}


def _steps(leaves: "_Leaves", use: "_Use", excess: int, progress: Progress | None) -> Any:
    queue = [leaves.entry(token_id, use.counts) for token_id in leaves.current()]
    heapq.heapify(queue)
    done = 0
    while queue and done < excess:
        entry = heapq.heappop(queue)
        token_id = entry[-1]
        if not leaves.is_leaf(token_id) or entry != leaves.entry(token_id, use.counts):
            continue  # stale: it went, or a newer entry says how often it occurs now
        count = int(use.counts[token_id])
        changed = use.drop(token_id, leaves.merges_of[token_id]) | set(leaves.remove(token_id))
        for other in changed:
            if leaves.is_leaf(other):
                heapq.heappush(queue, leaves.entry(other, use.counts))
        done += 1
        if progress is not None:
            progress("prune", done, excess)
        yield PruneStep(token_id, count, use.tokens)


class _Leaves:
    """Which tokens may go, while they go."""

    def __init__(self, definition: Definition, model: BpeModel, fixed: set[int]) -> None:
        size = len(definition.table)
        self.merges_of: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._uses, self._made = [0] * size, [len(model.merges)] * size
        for rank in range(len(model.merges) - 1, -1, -1):
            left, right, merged = model.merges[rank]
            self.merges_of[merged].append((left, right))
            self._uses[left] += 1
            self._uses[right] += 1
            self._made[merged] = rank
        self._may_go = [token_id not in fixed for token_id in range(size)]
        self._unused = [kind == "unused" for kind in definition.table.kinds]

    def current(self) -> list[int]:
        return [token_id for token_id in range(len(self._uses)) if self.is_leaf(token_id)]

    def is_leaf(self, token_id: int) -> bool:
        return self._may_go[token_id] and not self._uses[token_id]

    def entry(self, token_id: int, counts: npt.NDArray[np.int64]) -> tuple[bool, int, int, int, int]:
        """The order of removal; the last field is the id."""
        used = not self._unused[token_id]
        return used, int(counts[token_id]), -self._made[token_id], -token_id, token_id

    def remove(self, token_id: int) -> list[int]:
        """Drops the token's merges; returns their sides, which may be leaves now."""
        self._may_go[token_id] = False
        sides = [side for pair in self.merges_of[token_id] for side in pair]
        for side in sides:
            self._uses[side] -= 1
        return sides


class _Use:
    """The corpus as the remaining merges cut it: all texts end to end, an id at each token's first byte."""

    def __init__(self, definition: Definition, model: BpeModel, texts: Mapping[bytes, int]) -> None:
        self._tokens = definition.table.ordinary()
        self._byte_ids = definition.table.every_byte_id()
        self._data = b"".join(texts)
        self._weights = list(texts.values())
        self._starts = np.cumsum([0, *map(len, texts)]).tolist()
        ranks = model.ranks or range(len(model.merges))
        pairs = zip(model.merges, ranks, strict=True)
        self._ranks = {(left, right): (rank, merged) for (left, right, merged), rank in pairs}
        self._whole = (
            {token: i for i, token in enumerate(self._tokens) if token} if model.ignore_merges else {}
        )
        self._lay_out(definition, list(texts))

    def _lay_out(self, definition: Definition, texts: list[bytes]) -> None:
        encoder = cast("Encoder", make_encoder(definition, split=False))  # that of plain bytes
        raw_ids, raw_ends = encoder.encode_batch(texts, 1)
        ids, ends = np.frombuffer(raw_ids, np.uint32), np.frombuffer(raw_ends, np.uint64).astype(np.int64)
        lengths = np.array([len(token or b"") for token in self._tokens], np.int64)
        places = np.cumsum(lengths[ids]) - lengths[ids]
        self._at = np.full(len(self._data), -1, np.int32)
        self._at[places] = ids
        weights = np.repeat(np.array(self._weights, np.int64), np.diff(ends))
        self.counts = np.zeros(len(self._tokens), np.int64)
        np.add.at(self.counts, ids, weights)
        self.tokens = int(weights.sum())
        order = np.argsort(ids, kind="stable")
        cuts = np.searchsorted(ids[order], np.arange(len(self._tokens) + 1)).tolist()
        self._first = places[order]
        self._span = list(pairwise(cuts))
        self._later: dict[int, list[int]] = defaultdict(list)

    def drop(self, token_id: int, pairs: Collection[tuple[int, int]]) -> set[int]:
        """Removes a leaf and its merges, and encodes again where it stood; returns whose counts changed."""
        for pair in pairs:
            del self._ranks[pair]
        self._whole.pop(self._tokens[token_id] or b"", None)
        first, last = self._span[token_id]
        changed: set[int] = set()
        for place in [*self._first[first:last].tolist(), *self._later.pop(token_id, ())]:
            if self._at[place] == token_id:
                changed |= self._encode_around(place, token_id)
        return changed

    def _encode_around(self, place: int, token_id: int) -> set[int]:
        text = bisect_right(self._starts, place) - 1
        begin, limit = self._starts[text], self._starts[text + 1]
        left, right = self._left_of(place, begin), self._right_of(place + self._length(token_id), limit)
        while True:
            old, new = self._ids_in(left, right), self._encode(left, right, begin, limit)
            if left > begin and old[0] != new[0]:
                left = self._left_of(left, begin)
            elif right < limit and old[-1] != new[-1]:
                right = self._right_of(right, limit)
            else:
                break
        self._replace(left, right, new)
        self._count(old, -self._weights[text])
        self._count(new, self._weights[text])
        return {*old, *new}

    def _encode(self, left: int, right: int, begin: int, limit: int) -> list[int]:
        data = self._data[left:right]
        if (left, right) == (begin, limit) and data in self._whole:
            return [self._whole[data]]
        return merge_piece([self._byte_ids[byte] for byte in data], self._ranks)

    def _replace(self, left: int, right: int, ids: list[int]) -> None:
        self._at[left:right] = -1
        for token_id in ids:
            self._at[left] = token_id
            self._later[token_id].append(left)
            left += self._length(token_id)

    def _count(self, ids: list[int], weight: int) -> None:
        for token_id in ids:
            self.counts[token_id] += weight
        self.tokens += weight * len(ids)

    def _ids_in(self, left: int, right: int) -> list[int]:
        span = self._at[left:right]
        return span[span >= 0].tolist()  # type: ignore[no-any-return]

    def _left_of(self, place: int, begin: int) -> int:
        """Returns where the token before ``place`` begins, ``begin`` if there is none."""
        place = max(place - 1, begin)
        while place > begin and self._at[place] < 0:
            place -= 1
        return place

    def _right_of(self, end: int, limit: int) -> int:
        return end + self._length(int(self._at[end])) if end < limit else limit

    def _length(self, token_id: int) -> int:
        return len(self._tokens[token_id] or b"")
