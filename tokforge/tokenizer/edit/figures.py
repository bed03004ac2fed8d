"""What an edit did, ready for JSON and for people."""

from typing import Any

from tokforge.tokenizer.display import printable
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.prune import PruneStep
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["edit_figures", "step_figures"]


def edit_figures(before: Tokenizer, after: Tokenizer, id_map: IdMap) -> dict[str, Any]:
    """Returns sizes, merges, and the tokens removed (old ids) and added (new ids)."""
    kept = id_map.new_of_old[id_map.new_of_old >= 0]
    return {
        "old_vocab_size": before.vocab_size,
        "new_vocab_size": after.vocab_size,
        "kept": len(kept),
        "moved": int((id_map.new_of_old >= 0).sum() - (id_map.new_of_old == range(before.vocab_size)).sum()),
        "old_merges": len(before.merges),
        "new_merges": len(after.merges),
        "removed": [_shown(before, token_id) for token_id in id_map.removed.tolist()],
        "added": [_shown(after, token_id) for token_id in id_map.added.tolist()],
    }


def step_figures(before: Tokenizer, steps: tuple[PruneStep, ...]) -> list[dict[str, Any]]:
    """Returns each removal of `prune`, in order."""
    return [
        {**_shown(before, step.id), "occurrences": step.occurrences, "corpus_tokens": step.tokens}
        for step in steps
    ]


def _shown(tokenizer: Tokenizer, token_id: int) -> dict[str, Any]:
    return {"id": token_id, "text": printable(tokenizer.table.tokens[token_id])}
