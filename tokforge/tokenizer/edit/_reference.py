"""The slow twin of `prune`: every text is encoded again, by definition, after each removal."""

from collections.abc import Collection, Mapping

from tokforge.tokenizer._reference import merge_piece
from tokforge.tokenizer.model import BpeModel, Definition, Merge

__all__ = ["prune_slow"]


def prune_slow(
    definition: Definition, texts: Mapping[bytes, int], excess: int, fixed: Collection[int]
) -> list[tuple[int, int, int]]:
    """Returns (id, count, tokens afterwards) of each removal; fewer than ``excess`` if no more may go."""
    model = definition.model
    if not isinstance(model, BpeModel):
        raise TypeError(model)
    gone: set[int] = set()
    steps = []
    for _ in range(excess):
        merges = {rank: merge for rank, merge in enumerate(model.merges) if merge[2] not in gone}
        counts = _counts(definition, model, texts, gone, merges)
        sides = {side for left, right, _ in merges.values() for side in (left, right)}
        leaves = [i for i in range(len(definition.table)) if i not in gone | sides | set(fixed)]
        if not leaves:
            break
        made = {merged: rank for rank, (_, _, merged) in sorted(merges.items(), reverse=True)}
        kinds, last = definition.table.kinds, len(model.merges)
        worst = min(leaves, key=lambda i: (kinds[i] != "unused", counts[i], -made.get(i, last), -i))
        gone.add(worst)
        left = {rank: merge for rank, merge in merges.items() if merge[2] != worst}
        after = _counts(definition, model, texts, gone, left)
        steps.append((worst, counts[worst], sum(after)))
    return steps


def _counts(
    definition: Definition,
    model: BpeModel,
    texts: Mapping[bytes, int],
    gone: Collection[int],
    merges: Mapping[int, Merge],
) -> list[int]:
    counts = [0] * len(definition.table)
    ranks = {(left, right): (rank, merged) for rank, (left, right, merged) in merges.items()}
    tokens = definition.table.ordinary()
    whole = (
        {token: i for i, token in enumerate(tokens) if token and i not in gone} if model.ignore_merges else {}
    )
    byte_ids = definition.table.every_byte_id()
    for text, weight in texts.items():
        ids = [whole[text]] if text in whole else merge_piece([byte_ids[byte] for byte in text], ranks)
        for token_id in ids:
            counts[token_id] += weight
    return counts
