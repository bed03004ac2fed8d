"""A merge list in 12 bytes a merge: as tuples, half a million merges take 100 MB and a third of a load.

Invariant: ids are from 0 to 2^32 - 1, end to end in the machine's byte order. Equal to any sequence of the
same merges. Reading one is O(1), reading all makes the tuples that are asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from tokforge.errors import FormatError

__all__ = ["Merge", "MergeList", "merge_list"]

Merge: TypeAlias = tuple[int, int, int]
"""(left, right, merged) ids."""

_TOP = 2**32


class MergeList(Sequence[Merge]):
    """Merges in rank order. Immutable, hashable; `numpy.asarray` gives (merges, 3) uint32 without a copy."""

    __slots__ = ("_ids",)
    _ids: npt.NDArray[np.uint32]

    def __init__(self, packed: bytes = b"") -> None:
        """``packed``: the ids as u32, three a merge."""
        self._ids = np.frombuffer(packed, np.uint32).reshape(-1, 3)

    @property
    def flat(self) -> npt.NDArray[np.uint32]:
        """The ids end to end, (3 * merges,): what the engine takes."""
        return self._ids.reshape(-1)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Merge]:
        return zip(*self._ids.T.tolist(), strict=True)

    @overload
    def __getitem__(self, index: int) -> Merge: ...
    @overload
    def __getitem__(self, index: slice) -> "MergeList": ...
    def __getitem__(self, index: int | slice) -> "Merge | MergeList":
        if isinstance(index, slice):
            return MergeList(self._ids[index].tobytes())
        left, right, merged = self._ids[index].tolist()
        return left, right, merged

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MergeList):
            return np.array_equal(self._ids, other._ids)
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._ids.tobytes())

    def __reduce__(self) -> tuple[type["MergeList"], tuple[bytes]]:
        return MergeList, (self._ids.tobytes(),)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self._ids, dtype, copy=copy)

    def __repr__(self) -> str:
        return f"MergeList({len(self)} merges)"


def merge_list(merges: Iterable[Merge]) -> MergeList:
    """Returns ``merges`` packed; raises FormatError for one that is no three ids."""
    if isinstance(merges, MergeList):
        return merges
    rows = list(merges)
    try:
        ids = np.array(rows, np.int64).reshape(-1, 3) if rows else np.empty((0, 3), np.int64)
    except (OverflowError, ValueError, TypeError) as error:
        raise FormatError("a merge is no three ids", "write (left, right, merged)") from error
    odd = np.flatnonzero(((ids < 0) | (ids >= _TOP)).any(axis=1))
    if odd.size or len(ids) != len(rows):
        raise FormatError(
            f"{rows[odd[0]] if odd.size else rows[0]} names an id that is no ordinary token",
            "ids go from 0 to 2^32 - 1, three a merge",
            f"merge {odd[0] if odd.size else 0}",
        )
    return MergeList(ids.astype(np.uint32).tobytes())
