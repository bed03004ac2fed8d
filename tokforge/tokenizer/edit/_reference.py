"""The slow twin of `prune`: after each removal the tokenizer that is left encodes every text again."""

from collections.abc import Collection, Mapping

import numpy as np

from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.edit.moving import moved
from tokforge.tokenizer.edit.remove import compacting
from tokforge.tokenizer.model import BpeModel, Definition, UnigramModel

__all__ = ["prune_slow"]


def prune_slow(
    definition: Definition, texts: Mapping[bytes, int], excess: int, fixed: Collection[int]
) -> list[tuple[int, int, int]]:
    """Returns (id, count, tokens afterwards) of each removal; fewer than ``excess`` if no more may go."""
    model, kinds = definition.model, definition.table.kinds
    merges = model.merges if isinstance(model, BpeModel) else ()
    made = {merged: rank for rank, (_, _, merged) in reversed(list(enumerate(merges)))}
    gone: set[int] = set()
    steps = []

    def order(token_id: int) -> tuple[bool, int, float, int]:
        late: float = made.get(token_id, len(merges))
        if isinstance(model, UnigramModel):
            late = -(model.scores[token_id] or 0.0)
        return kinds[token_id] != "unused", counts[token_id], -late, -token_id

    for _ in range(excess):
        counts = _counts(definition, texts, gone)
        sides = {side for *pair, merged in merges if merged not in gone for side in pair}
        candidates = [i for i in range(len(kinds)) if i not in gone | sides | set(fixed)]
        if not candidates:
            break
        worst = min(candidates, key=order)
        gone.add(worst)
        steps.append((worst, counts[worst], sum(_counts(definition, texts, gone))))
    return steps


def _counts(definition: Definition, texts: Mapping[bytes, int], gone: Collection[int]) -> list[int]:
    """Returns the occurrences of each old id in the pretokens ``texts``."""
    id_map = compacting(len(definition.table), gone)
    encoder = make_encoder(moved(definition, id_map), split=False)
    counts = np.zeros(len(definition.table), np.int64)
    for text, weight in texts.items():
        ids, _ = encode_documents(encoder, [text], 1)
        np.add.at(counts, id_map.old_of_new[ids], weight)
    return counts.tolist()
