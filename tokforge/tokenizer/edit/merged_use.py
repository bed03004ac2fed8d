"""A corpus as the merges that are left cut it: what pruning BPE goes by.

Definition: a *leaf* is a token that no merge has as a side. Only leaves go, so merges stay closed at each
step. Counts are exact, not estimates: where a leaf stood, its text is encoded again, with as many neighbours
as change. Why that is enough: a leaf that is formed is never merged further, so only texts that hold it
change; and two segmentations that share a token on either side of a stretch may be joined there (the theorem
of `core/src/encode/validity.rs`, which holds for atoms of both kinds). In a model of characters nothing
merges with an unknown character or a user-defined token, so the text between them is laid out by itself.
Complexity: a heap step for each removal, and for each occurrence of a removed token the encoding of a
few tokens; memory 4 bytes a corpus byte and 8 a token.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer._reference import merge_piece
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.model import BpeModel, Definition

__all__ = ["MergedUse", "characters_of", "known_runs"]

_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""


class MergedUse:
    """The use of a BPE vocabulary, while its leaves go."""

    def __init__(
        self, definition: Definition, model: BpeModel, texts: Mapping[bytes, int], fixed: Collection[int]
    ) -> None:
        self._leaves = _Leaves(definition, model, fixed)
        self._corpus = _Corpus(definition, model, texts)

    @property
    def tokens(self) -> int:
        """Tokens of the corpus."""
        return self._corpus.tokens

    def count(self, token_id: int) -> int:
        """Returns how often the corpus holds a token."""
        return int(self._corpus.counts[token_id])

    def may_go(self, token_id: int) -> bool:
        """Tells whether a token is a leaf that need not stay."""
        return self._leaves.is_leaf(token_id)

    def priority(self, token_id: int) -> int:
        """Returns the rank of the first merge that makes a token: the last learned goes first."""
        return self._leaves.made[token_id]

    def drop(self, token_id: int) -> set[int]:
        """Removes a leaf and its merges; returns what is a leaf now or occurs otherwise."""
        pairs = self._leaves.merges_of[token_id]
        return self._corpus.drop(token_id, pairs) | set(self._leaves.remove(token_id))


class _Leaves:
    """Which tokens may go, while they go."""

    def __init__(self, definition: Definition, model: BpeModel, fixed: Collection[int]) -> None:
        size = len(definition.table)
        self.merges_of: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._uses, self.made = [0] * size, [len(model.merges)] * size
        for rank in range(len(model.merges) - 1, -1, -1):
            left, right, merged = model.merges[rank]
            self.merges_of[merged].append((left, right))
            self._uses[left] += 1
            self._uses[right] += 1
            self.made[merged] = rank
        self._may_go = [token_id not in fixed for token_id in range(size)]

    def is_leaf(self, token_id: int) -> bool:
        return self._may_go[token_id] and not self._uses[token_id]

    def remove(self, token_id: int) -> list[int]:
        """Drops the token's merges; returns their sides, which may be leaves now."""
        self._may_go[token_id] = False
        sides = [side for pair in self.merges_of[token_id] for side in pair]
        for side in sides:
            self._uses[side] -= 1
        return sides


class _Corpus:
    """The corpus as the remaining merges cut it: all texts end to end, an id at each token's first byte."""

    def __init__(self, definition: Definition, model: BpeModel, texts: Mapping[bytes, int]) -> None:
        self._tokens = definition.table.ordinary()
        self._atoms = _atoms_of(definition, model)
        ranks = model.ranks or range(len(model.merges))
        pairs = zip(model.merges, ranks, strict=True)
        self._ranks = {(left, right): (rank, merged) for (left, right, merged), rank in pairs}
        self._whole = (
            {token: i for i, token in enumerate(self._tokens) if token} if model.ignore_merges else {}
        )
        self.counts, self.tokens = _counted(definition, texts)
        runs = texts.items() if model.atoms == "bytes" else known_runs(definition, texts)
        self._lay_out(definition, list(runs))

    def _lay_out(self, definition: Definition, runs: list[tuple[bytes, int]]) -> None:
        texts = [text for text, _ in runs]
        self._weights = [weight for _, weight in runs]
        self._data = b"".join(texts)
        self._starts = np.cumsum([0, *map(len, texts)]).tolist()
        ids, _ = encode_documents(make_encoder(definition, split=False), texts, 1)
        lengths = np.array([len(token or b"") for token in self._tokens], np.int64)
        places = np.cumsum(lengths[ids]) - lengths[ids]
        self._at = np.full(len(self._data), -1, np.int32)
        self._at[places] = ids
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
        return merge_piece(self._atoms(data), self._ranks)

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


def _counted(definition: Definition, texts: Mapping[bytes, int]) -> tuple[npt.NDArray[np.int64], int]:
    """Returns the occurrences of each id, (vocab_size,), and of all."""
    ids, ends = encode_documents(make_encoder(definition, split=False), list(texts), 1)
    weights = np.repeat(np.array(list(texts.values()), np.int64), np.diff(ends.astype(np.int64)))
    counts = np.zeros(len(definition.table), np.int64)
    np.add.at(counts, ids, weights)
    return counts, int(weights.sum())


def _atoms_of(definition: Definition, model: BpeModel) -> Callable[[bytes], list[int]]:
    """Returns what cuts text into the ids that merging starts from."""
    if model.atoms == "bytes":
        byte_ids = definition.table.every_byte_id()
        return lambda data: [byte_ids[byte] for byte in data]
    ids = characters_of(definition)
    return lambda data: [ids[character] for character in data.decode()]


def characters_of(definition: Definition) -> dict[str, int]:
    """Returns the characters that are tokens; of two ids the lower, as in the engine."""
    found: dict[str, int] = {}
    for token_id, (token, kind) in enumerate(
        zip(definition.table.tokens, definition.table.kinds, strict=True)
    ):
        if kind == "normal" and len(token) <= _LONGEST_CHARACTER:
            text = token.decode("utf-8", "ignore")
            if len(text) == 1 and text.encode() == token:
                found.setdefault(text, token_id)
    return found


def known_runs(definition: Definition, texts: Mapping[bytes, int]) -> Iterator[tuple[bytes, int]]:
    """Yields the runs of known characters in pretokens, as `core/src/encode/character_bpe.rs` cuts them:
    between unknown characters and user-defined tokens, with the pretoken's count.

    Where unknown characters are lost, what stood beside them is one run.
    """
    tokens, model = definition.table.tokens, definition.model
    if not isinstance(model, BpeModel):
        raise TypeError(model)
    named = sorted((tokens[i].decode() for i in model.user_defined), key=len, reverse=True)
    between = re.compile("|".join(map(re.escape, named))) if named else None
    known = re.compile("[" + "".join(map(re.escape, characters_of(definition))) + "]+")
    are_lost = model.unk_id is None and not model.byte_fallback
    for data, weight in texts.items():
        text = data.decode("utf-8", "surrogateescape")
        for part in between.split(text) if between else [text]:
            runs: Iterable[str] = known.findall(part)
            for run in ["".join(runs)] if are_lost else runs:
                if run:
                    yield run.encode(), weight
