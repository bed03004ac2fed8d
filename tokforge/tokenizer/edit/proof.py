"""Proof of an edit: text that the edit does not touch has the same ids through the map.

Definition, BPE: a merge is *changed* if only one of the two models has it; a token is *touched* if it is
gone or new, or comes about with a changed merge in its derivation. Theorem: if the old ids of a text
hold no token touched in the old model, and its new ids none touched in the new one, both runs take the
same merges, so the new ids are the old ones mapped. (A merge that fired stands in the derivation of a
final token; a merge that never fires changes nothing by being there or not.) For Unigram the touched
tokens are those gone or new: a candidate that is not on the best path does not move it. WordPiece also
touches the unknown token, since a word may become coverable. Text that holds an added token which came,
went or was renamed is touched as well.
"""

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tokforge.errors import ConfigError
from tokforge.tokenizer.display import printable
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.formats.proof import probes
from tokforge.tokenizer.model import BpeModel, Merge

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["first_difference", "prove_edit", "touched_ids"]


def prove_edit(before: "Tokenizer", after: "Tokenizer", id_map: IdMap) -> None:
    """Compares the two on a probe set; raises ConfigError with the first untouched text that changed."""
    texts = [*probes(before), *probes(after)]
    texts += [token for token in before.table.ordinary() if token is not None][
        :: len(before.table) // 2000 + 1
    ]
    wrong = first_difference(before, after, id_map, texts)
    if wrong is not None:
        raise ConfigError(
            f"this edit changes the ids of {printable(wrong)!r}, which it should not touch",
            "report this tokenizer: nothing was written",
        )


def first_difference(
    before: "Tokenizer", after: "Tokenizer", id_map: IdMap, texts: Iterable[bytes]
) -> bytes | None:
    """Returns the first of ``texts`` that is untouched and yet has other ids, or decodes to other bytes."""
    texts = list(texts)
    old_touched, new_touched = touched_ids(before, after, id_map)
    names = _changed_texts(before, after)
    old_ids, old_ends = before.encode_batch(texts, 1)
    new_ids, new_ends = after.encode_batch(texts, 1)
    spans = zip(texts, pairwise(old_ends.tolist()), pairwise(new_ends.tolist()), strict=True)
    for text, old_span, new_span in spans:
        old, new = old_ids[slice(*old_span)], new_ids[slice(*new_span)]
        if old_touched[old].any() or new_touched[new].any() or any(name in text for name in names):
            continue
        if not np.array_equal(id_map.apply(old), new) or before.decode(old) != after.decode(new):
            return text
    return None


def touched_ids(
    before: "Tokenizer", after: "Tokenizer", id_map: IdMap
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Returns which old ids and which new ids are touched, (old_vocab_size,) and (new_vocab_size,)."""
    old, new = np.zeros(before.vocab_size, bool), np.zeros(after.vocab_size, bool)
    old[id_map.removed], new[id_map.added] = True, True
    for was, now in enumerate(id_map.new_of_old.tolist()):
        if now >= 0 and before.table.tokens[was] != after.table.tokens[now]:  # renamed
            old[was] = new[now] = True
    moved = id_map.new_of_old[np.array(before.merges, np.int64).reshape(-1, 3)]
    mapped = list(map(tuple, moved.tolist()))
    kept, common = set(after.merges), set(mapped)
    dropped = [merge for merge, now in zip(before.merges, mapped, strict=True) if now not in kept]
    _mark_derived(old, before.merges, {merged for _, _, merged in dropped})
    _mark_derived(new, after.merges, {merge[2] for merge in after.merges if merge not in common})
    for flags, tokenizer in ((old, before), (new, after)):
        model = tokenizer.definition.model
        if not isinstance(model, BpeModel) and model.unk_id is not None and (old.any() or new.any()):
            flags[model.unk_id] = True
    return old, new


def _mark_derived(
    flags: np.ndarray[tuple[int], np.dtype[np.bool_]], merges: Collection[Merge], products: Collection[int]
) -> None:
    """Marks ``products`` and every token whose derivation may hold one of them."""
    flags[list(products)] = True
    grew = bool(products) or bool(flags.any())
    while grew:  # merges stand in order of rank, nearly always that of derivation: one pass, one to see
        grew = False
        for left, right, merged in merges:
            if (flags[left] or flags[right]) and not flags[merged]:
                flags[merged] = grew = True


def _changed_texts(before: "Tokenizer", after: "Tokenizer") -> list[bytes]:
    """Returns the texts of added tokens that only one of the two matches, or that they match otherwise."""

    def flags(tokenizer: "Tokenizer") -> set[tuple[object, ...]]:
        return {
            (t.text, t.special, t.lstrip, t.rstrip, t.normalized, t.single_word)
            for t in tokenizer.added_tokens
        }

    return [str(changed[0]).encode() for changed in flags(before) ^ flags(after)]
