"""The slow, readable twin of the engine's `Encoder`: byte-pair encoding by its definition.

Quadratic in the length of a pretoken. Same arguments and same results as `tokforge._core.Encoder`; the
splitter is passed in, so the twin itself needs no regex engine.
"""

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from tokforge.errors import TokenIdError

__all__ = ["ReferenceEncoder", "merge_piece"]

Ranks = dict[tuple[int, int], tuple[int, int]]
"""(left, right) -> (rank, merged)."""


class Splits(Protocol):
    """What the twin needs of a splitter."""

    def split(self, data: bytes) -> list[tuple[int, int]]: ...


def merge_piece(ids: list[int], ranks: Ranks) -> list[int]:
    """Joins the adjacent pair of lowest rank, leftmost on a tie, until no pair has a rank.

    Example: [1, 1, 1] with {(1, 1): (0, 9)} -> [9, 1]
    """
    while True:
        ranked = [(ranks[pair][0], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]
        if not ranked:
            return ids
        _, at = min(ranked)
        merged = ranks[ids[at], ids[at + 1]][1]
        ids = [*ids[:at], merged, *ids[at + 2 :]]


class ReferenceEncoder:
    """Encodes by `merge_piece`, piece by piece."""

    def __init__(
        self,
        tokens: Sequence[bytes | None],
        merges: Sequence[tuple[int, int, int]],
        *,
        byte_ids: Sequence[int],
        ignore_merges: bool = False,
        splitter: Splits | None = None,
    ) -> None:
        self._tokens, self._byte_ids, self._splitter = tokens, byte_ids, splitter
        self._ranks = {(left, right): (rank, merged) for rank, (left, right, merged) in enumerate(merges)}
        self._whole = {token: i for i, token in enumerate(tokens) if token} if ignore_merges else {}

    def encode(self, data: bytes | bytearray | memoryview) -> bytearray:
        return bytearray(array("I", self._ids(bytes(data))).tobytes())

    def encode_offsets(self, data: bytes | bytearray | memoryview) -> tuple[bytearray, bytearray]:
        ids = self._ids(bytes(data))
        offsets, at = array("Q"), 0
        for token_id in ids:
            offsets.append(at)
            at += len(self._tokens[token_id] or b"")
        return bytearray(array("I", ids).tobytes()), bytearray(offsets.tobytes())

    def encode_batch(
        self, docs: Sequence[bytes | bytearray | memoryview], threads: int
    ) -> tuple[bytearray, bytearray]:
        del threads  # the twin has one
        ids, boundaries = array("I"), array("Q", [0])
        for doc in docs:
            ids.extend(self._ids(bytes(doc)))
            boundaries.append(len(ids))
        return bytearray(ids.tobytes()), bytearray(boundaries.tobytes())

    def decode(self, ids: bytes | bytearray | memoryview) -> bytes:
        parts = []
        for token_id in array("I", bytes(ids)):
            token = self._tokens[token_id] if token_id < len(self._tokens) else None
            if token is None:
                raise TokenIdError(f"id {token_id} is no byte string", f"ids end at {len(self._tokens) - 1}")
            parts.append(token)
        return b"".join(parts)

    def _ids(self, data: bytes) -> list[int]:
        pieces = self._splitter.split(data) if self._splitter else [(0, len(data))]
        return [token_id for start, end in pieces for token_id in self._piece(data[start:end])]

    def _piece(self, piece: bytes) -> list[int]:
        if piece in self._whole:
            return [self._whole[piece]]
        return merge_piece([self._byte_ids[byte] for byte in piece], self._ranks)
