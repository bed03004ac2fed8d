"""Which new id each old id became: what every edit returns, and what `transplant` moves rows by.

Invariant: a kept id has one new id and no two share one; -1 is an id that is gone. A new id that no old
one became is an addition. The file is versioned JSON::

    {"format": "tokforge-id-map", "version": 1,
     "old_vocab_size": 3, "new_vocab_size": 3, "new_of_old": [0, -1, 1]}
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, FormatError, InputError, TokenIdError
from tokforge.outputs import write_files
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.strict_json import Node, parse_json

__all__ = ["IdMap"]

_FORMAT = "tokforge-id-map"
_VERSION = 1
_MAX_BYTES = 2**30
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class IdMap:
    """Old id -> new id."""

    new_of_old: Ids
    """(old_vocab_size,) - the new id of each old one, -1 where it is gone."""
    new_vocab_size: int

    def __post_init__(self) -> None:
        given = np.asarray(self.new_of_old)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise ConfigError(f"an id map of shape {given.shape} and type {given.dtype}", "pass integers")
        ids = given.astype(np.int64)
        kept = ids[ids >= 0]
        if ids.size and not -1 <= int(ids.min()) <= int(ids.max()) < self.new_vocab_size:
            raise ConfigError(
                f"an id map to {self.new_vocab_size} ids holds {int(ids.min())} to {int(ids.max())}",
                "use -1 for what is gone, else an id of the new vocabulary",
            )
        if np.unique(kept).size != kept.size:
            raise ConfigError("two old ids have the same new one", "give each a new id of its own")
        ids.setflags(write=False)
        object.__setattr__(self, "new_of_old", ids)

    @classmethod
    def identity(cls, old_vocab_size: int, new_vocab_size: int | None = None) -> "IdMap":
        """Returns the map that keeps every id; a larger new size has its additions at the end."""
        return cls(np.arange(old_vocab_size), old_vocab_size if new_vocab_size is None else new_vocab_size)

    @property
    def old_vocab_size(self) -> int:
        """Ids before the edit."""
        return len(self.new_of_old)

    @property
    def old_of_new(self) -> Ids:
        """(new_vocab_size,) - the old id of each new one, -1 where it was added."""
        old = np.full(self.new_vocab_size, -1, np.int64)
        kept = np.flatnonzero(self.new_of_old >= 0)
        old[self.new_of_old[kept]] = kept
        return old

    @property
    def removed(self) -> Ids:
        """Old ids that are gone, ascending."""
        return np.flatnonzero(self.new_of_old < 0)

    @property
    def added(self) -> Ids:
        """New ids that no old one became, ascending."""
        return np.flatnonzero(self.old_of_new < 0)

    def apply(self, ids: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """Returns old ``ids`` as new ones, (tokens,) uint32; raises TokenIdError for one that is gone."""
        old = np.asarray(ids).astype(np.int64)
        outside = (old < 0) | (old >= self.old_vocab_size)
        mapped = np.where(outside, -1, self.new_of_old[np.where(outside, 0, old)]) if old.size else old
        bad = np.flatnonzero(mapped < 0)
        if bad.size:
            raise TokenIdError(
                f"id {old[bad[0]]} at position {bad[0]} has no new id", "encode the text anew instead"
            )
        return mapped.astype(np.uint32)

    def then(self, after: "IdMap") -> "IdMap":
        """Returns this edit followed by ``after`` as one map."""
        if after.old_vocab_size != self.new_vocab_size:
            raise ConfigError(
                f"one map ends at {self.new_vocab_size} ids, the next begins at {after.old_vocab_size}",
                "join maps in the order of the edits",
            )
        kept = self.new_of_old >= 0
        joined = np.full(self.old_vocab_size, -1, np.int64)
        joined[kept] = after.new_of_old[self.new_of_old[kept]]
        return IdMap(joined, after.new_vocab_size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdMap):
            return NotImplemented
        same_size = self.new_vocab_size == other.new_vocab_size
        return same_size and np.array_equal(self.new_of_old, other.new_of_old)

    __hash__ = None  # type: ignore[assignment]  # it compares by its array

    def to_json(self) -> str:
        """Returns the file's content."""
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "old_vocab_size": self.old_vocab_size,
            "new_vocab_size": self.new_vocab_size,
            "new_of_old": self.new_of_old.tolist(),
        }
        return json.dumps(content) + "\n"

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Writes the map as JSON. Raises OutputError where the file exists (unless ``force``)."""
        write_files({Path(path): self.to_json()}, force=force)

    @classmethod
    def load(cls, path: str | Path) -> "IdMap":
        """Reads what `save` wrote. Raises InputError if it cannot be read, FormatError if malformed."""
        root = parse_json(_read(Path(path)), str(path))
        if root.need("format").string() != _FORMAT:
            raise root.child("format").error(
                f"{quoted(root.child('format').value)} is no id map", "give the file that --map wrote"
            )
        if root.need("version").value != _VERSION:
            raise root.child("version").error(
                f"version {quoted(root.child('version').value)} is unknown",
                f"this tokforge knows version {_VERSION}",
            )
        ids = _integers(root.need("new_of_old"))
        if len(ids) != root.need("old_vocab_size").id():
            raise root.child("new_of_old").error(
                f"{len(ids)} entries for {root.child('old_vocab_size').value} old ids", "restore the file"
            )
        try:
            return cls(np.array(ids, np.int64), root.need("new_vocab_size").id())
        except ConfigError as error:
            raise root.child("new_of_old").error(error.problem, error.hint) from error


def _integers(node: Node) -> list[int]:
    for number, value in enumerate(node.array()):
        if type(value) is not int or not -1 <= value < 2**32:
            raise Node(value, node.source, f"{node.trail}[{number}]").error(
                f"expected an id or -1, found {quoted(value)}"
            )
    return node.array()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError("this is too large for an id map", "give a smaller file", str(path))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read: {reason}", "check the path", str(path)) from error
