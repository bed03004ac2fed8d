"""Which old id each new id takes its row from, and into which old ids the others are cut.

Rules, in order: what the user maps; the same key (bytes and place in the word); an added token of the
same text; the same role (``eos`` to ``eos``; ``bos`` and ``cls``, ``eos`` and ``sep`` stand in for each
other); the
same key after the old vocabulary's normaliser (a cased token of an uncased model). What is left of the
tokens is *composed* from old pieces, special tokens without counterpart are *unmatched*, ids without a
token are *padded*. Linear in both vocabularies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.edit import IdMap
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Alignment", "Class", "align"]

Class = Literal["copied", "mapped", "folded", "composed", "unmatched", "padded"]
Ids = npt.NDArray[np.int64]
_STAND_INS = {"bos": ("bos", "cls"), "cls": ("cls", "bos"), "eos": ("eos", "sep"), "sep": ("sep", "eos")}


@dataclass(frozen=True, eq=False)
class Alignment:
    """What becomes of each new row."""

    old: Vocabulary
    new: Vocabulary
    old_rows: int
    """Rows of the old matrix; those after the last old id are padding."""
    classes: tuple[Class, ...]
    """(new rows,) - how each row comes about."""
    origins: Ids
    """(new rows,) - the old id that a row is a copy of, else -1."""
    pieces: Mapping[int, tuple[int, ...]]
    """new id -> old ids, for the composed ones; none where the old vocabulary cannot spell it."""

    @property
    def rows(self) -> int:
        """Rows of the new matrix."""
        return len(self.classes)

    @cached_property
    def composed(self) -> Ids:
        """New ids that a method must make, ascending."""
        return np.array([i for i, kind in enumerate(self.classes) if kind == "composed"], np.int64)

    @cached_property
    def copied(self) -> Ids:
        """New ids whose row is an old one, ascending."""
        return np.flatnonzero(self.origins >= 0)

    @cached_property
    def shared(self) -> Ids:
        """(shared, 2) - new and old id of the ordinary tokens in both: the anchors of donor methods."""
        kept = [i for i, kind in enumerate(self.classes) if kind == "copied" and self.new.keys[i] is not None]
        return np.stack([np.array(kept, np.int64), self.origins[kept]], 1)

    @cached_property
    def idle(self) -> Ids:
        """Old rows without a token: gaps and padding, ascending."""
        return np.array([*self.old.unused, *range(len(self.old), self.old_rows)], np.int64)

    def counts(self) -> dict[str, int]:
        """Returns how many rows there are of each class."""
        names = ("copied", "mapped", "folded", "composed", "unmatched", "padded")
        return {name: sum(kind == name for kind in self.classes) for name in names}


def align(
    old: Vocabulary,
    new: Vocabulary,
    old_rows: int,
    *,
    mapping: Mapping[str, str] | None = None,
    multiple_of: int = 1,
    id_map: IdMap | None = None,
) -> Alignment:
    """Aligns two vocabularies; the new matrix gets as many rows as ids, up to a multiple of ``multiple_of``.

    ``mapping``: text of a new token -> text of the old one whose row it takes. ``id_map``: the map of an
    edit or a conversion, which decides for every id that it keeps.
    Raises FormatError where old ids have no row, ConfigError for a mapping that names nothing or
    an id map of other sizes.
    """
    if len(old) > old_rows:
        raise FormatError(
            f"the tokenizer has {len(old)} ids, the model {old_rows} rows: id {old_rows} on have none",
            "use the tokenizer that this model was trained with",
            str(old.source),
        )
    rows = -(-len(new) // multiple_of) * multiple_of
    origins, classes = np.full(rows, -1, np.int64), ["padded"] * rows
    for i in range(len(new)):
        found, kind = _match(old, new, i)
        origins[i], classes[i] = (-1 if found is None else found), kind
    if id_map is not None:
        _follow(id_map, old, new, origins, classes)
    for left, right in (mapping or {}).items():
        i = _named(new, left, "the new tokenizer")
        origins[i], classes[i] = _named(old, right, "the model's tokenizer"), "mapped"
    waiting = [i for i, kind in enumerate(classes) if kind == "composed"]
    cut = old.pieces([_key(new, i) for i in waiting])
    pieces = {i: tuple(ids) for i, ids in zip(waiting, cut, strict=True)}
    return Alignment(old, new, old_rows, tuple(classes), origins, pieces)  # type: ignore[arg-type]


def _follow(id_map: IdMap, old: Vocabulary, new: Vocabulary, origins: Ids, classes: list[str]) -> None:
    if (id_map.old_vocab_size, id_map.new_vocab_size) != (len(old), len(new)):
        raise ConfigError(
            f"the id map goes from {id_map.old_vocab_size} ids to {id_map.new_vocab_size}, "
            f"the tokenizers have {len(old)} and {len(new)}",
            "give the map that was written with this new tokenizer",
            "--id-map",
        )
    for old_id, new_id in enumerate(id_map.new_of_old.tolist()):
        if new_id >= 0:
            origins[new_id], classes[new_id] = old_id, "copied"


def _match(old: Vocabulary, new: Vocabulary, i: int) -> tuple[int | None, str]:
    if i in new.added:
        return _match_added(old, new, i)
    key = new.keys[i]
    if key is None:
        return None, "padded"
    same = old.byte_ids.get(key[0]) if i in new.byte_tokens else None
    same = old.index.get(key) if same is None else same
    if same is not None:
        return same, "copied"
    folded = old.index.get(old.normalized(key))
    return (folded, "folded") if folded is not None else (None, "composed")


def _match_added(old: Vocabulary, new: Vocabulary, i: int) -> tuple[int | None, str]:
    same = old.id_of_added.get(new.added[i])
    if same is not None:
        return same, "copied"
    for role, owner in new.roles.items():
        for name in _STAND_INS.get(role, (role,)) if owner == i else ():
            if name in old.roles:
                return old.roles[name], "mapped"
    if i in new.special:
        return None, "unmatched"
    same = old.index.get(new.added[i].encode())
    return (same, "copied") if same is not None else (None, "composed")


def _key(new: Vocabulary, i: int) -> bytes:
    key = new.keys[i]
    return new.added[i].encode() if key is None else key


def _named(vocabulary: Vocabulary, text: str, where: str) -> int:
    """Returns the id of an added token's text, or of the token that is spelled so (␣ is a space)."""
    found = vocabulary.id_of_added.get(text, vocabulary.index.get(text.replace("␣", " ").encode()))
    if found is None:
        raise ConfigError(f"{where} has no token {quoted(text)}", "name one as it is spelled", "--map")
    return found
