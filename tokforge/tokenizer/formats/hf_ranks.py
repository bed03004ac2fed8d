"""Equal ranks put into Hugging Face's order of pairs, where that gives the same ids.

Two pairs of equal rank collide only where they overlap: (a, b) and then (b, c), of which the left one goes
first. So every such (a, b) must come before (b, c) in the list; a topological order of the pairs of one
rank does that, and where there is none the model is refused.
"""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

from tokforge.errors import ExportError
from tokforge.tokenizer.model import BpeModel, Merge

__all__ = ["pair_ranked"]


def pair_ranked(model: BpeModel) -> Sequence[Merge]:
    """Returns the merges in an order in which ranks by pair merge as the model's ranks do.

    Raises ExportError if there is none.
    """
    if model.ranks is None:
        return model.merges
    ordered: list[Merge] = []
    for _, ranked in groupby(zip(model.ranks, model.merges, strict=True), key=lambda pair: pair[0]):
        equal = [merge for _, merge in ranked]
        ordered += equal if len(equal) == 1 else _left_first(equal)
    return tuple(ordered)


def _left_first(equal: list[Merge]) -> list[Merge]:
    by_left: dict[int, list[Merge]] = {}
    for merge in equal:
        by_left.setdefault(merge[0], []).append(merge)
    sorter: TopologicalSorter[Merge] = TopologicalSorter(dict.fromkeys(equal, ()))
    for merge in equal:
        for later in by_left.get(merge[1], ()):
            if later != merge:
                sorter.add(later, merge)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        left, right, _ = equal[0]
        raise ExportError(
            f"merges of equal rank, such as ({left}, {right}), overlap both ways: Hugging Face ranks by pair",
            "no order of pairs gives the same ids",
        ) from error
