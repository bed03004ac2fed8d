"""Edits of a vocabulary: each takes a `Tokenizer` and returns a new one with the map from old ids to new.

Invariants of every edit: merges stay closed (none has a side or a product that is gone), every place
that names an id is renumbered (`references`), and text that the edit does not touch keeps its ids
through the map; `proof` checks that on a probe set before the result is returned.
Reading order: `id_map`, `references`, `moving`, then one module an operation.
"""

from tokforge.tokenizer.edit.add import add, add_tokens, add_vocabulary
from tokforge.tokenizer.edit.figures import edit_figures, step_figures
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited
from tokforge.tokenizer.edit.pad import pad, reserved_names
from tokforge.tokenizer.edit.prune import Pruned, PruneStep, prune, require_prunable
from tokforge.tokenizer.edit.remove import find_token, remove
from tokforge.tokenizer.edit.rename import rename
from tokforge.tokenizer.edit.reorder import ORDERS, order_by_use, reorder

__all__ = [
    "ORDERS",
    "Edited",
    "IdMap",
    "PruneStep",
    "Pruned",
    "add",
    "add_tokens",
    "add_vocabulary",
    "edit_figures",
    "find_token",
    "order_by_use",
    "pad",
    "prune",
    "remove",
    "rename",
    "reorder",
    "require_prunable",
    "reserved_names",
    "step_figures",
]
