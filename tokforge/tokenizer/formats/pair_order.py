"""Merges of equal rank put into an order of pairs, as Hugging Face needs it, where that gives the same ids.

Two pairs of equal rank collide only where they overlap, (a, b) and (b, c): the left one goes first, so it
must be listed first. Whether a, b, c ever stand side by side is a question of its own: neighbours in a
state are the encoding of their own bytes by all lower ranks, so encoding these bytes answers it. Overlaps
that never occur (`-` before `---`, which is `--` `--` instead) order nothing; what is left is sorted
topologically, and a true cycle is refused. Linear in the merges, and in the overlaps of equal rank.
"""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import groupby, pairwise

from tokforge.errors import ExportError
from tokforge.tokenizer.model import BpeModel, Definition, Merge

__all__ = ["pair_order"]

Ranks = dict[tuple[int, int], tuple[int, int]]
"""(left, right) -> (rank, merged)."""


def pair_order(definition: Definition) -> Sequence[Merge]:
    """Returns the merges in an order in which ranks by pair merge as the model's ranks do.

    Raises ExportError if there is none.
    """
    model = definition.model
    if not isinstance(model, BpeModel) or model.ranks is None:
        return model.merges if isinstance(model, BpeModel) else ()
    ranks: Ranks = {
        merge[:2]: (rank, merge[2]) for merge, rank in zip(model.merges, model.ranks, strict=True)
    }
    atoms = _atoms(definition, model)
    ordered: list[Merge] = []
    for rank, group in groupby(zip(model.ranks, model.merges, strict=True), key=lambda pair: pair[0]):
        equal = [merge for _, merge in group]
        ordered += equal if len(equal) == 1 else _sorted(equal, rank, ranks, definition, atoms)
    return tuple(ordered)


def _atoms(definition: Definition, model: BpeModel) -> dict[bytes, int]:
    """Returns the tokens that merging starts from."""
    table = definition.table
    if model.atoms == "bytes":
        return {bytes((byte,)): token_id for byte, token_id in enumerate(table.every_byte_id())}
    pairs = zip(table.ordinary(), table.kinds, strict=True)
    return {
        token: i
        for i, (token, kind) in enumerate(pairs)
        if token is not None and kind == "normal" and _is_character(token)
    }


def _is_character(token: bytes) -> bool:
    try:
        return len(token.decode()) == 1
    except UnicodeDecodeError:
        return False


def _sorted(
    equal: Sequence[Merge], rank: int, ranks: Ranks, definition: Definition, atoms: dict[bytes, int]
) -> list[Merge]:
    by_left: dict[int, list[Merge]] = {}
    for merge in equal:
        by_left.setdefault(merge[0], []).append(merge)
    sorter: TopologicalSorter[Merge] = TopologicalSorter(dict.fromkeys(equal, ()))
    for merge in equal:
        for later in by_left.get(merge[1], ()):
            if later != merge and _meet((*merge[:2], later[1]), rank, ranks, definition, atoms):
                sorter.add(later, merge)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise ExportError(
            f"merges of equal rank, such as {equal[0][:2]}, overlap both ways: Hugging Face ranks by pair",
            "no order of pairs gives the same ids",
        ) from error


def _meet(
    three: tuple[int, int, int], rank: int, ranks: Ranks, definition: Definition, atoms: dict[bytes, int]
) -> bool:
    """Tells whether three tokens can stand side by side when the pairs of ``rank`` are merged."""
    text = b"".join(definition.table.tokens[token_id] for token_id in three)
    units = _characters(text) if _of_characters(definition) else [bytes((byte,)) for byte in text]
    if not units or any(unit not in atoms for unit in units):
        return True  # it cannot be told, so they may
    ids = [atoms[unit] for unit in units]
    while True:
        found = [(*ranks[pair], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]
        best = min(((own, at, merged) for own, merged, at in found if own < rank), default=None)
        if best is None:
            return tuple(ids) == three
        ids[best[1] : best[1] + 2] = [best[2]]


def _of_characters(definition: Definition) -> bool:
    return isinstance(definition.model, BpeModel) and definition.model.atoms == "characters"


def _characters(text: bytes) -> list[bytes]:
    try:
        return [char.encode() for char in text.decode()]
    except UnicodeDecodeError:
        return []
