"""Prunes a vocabulary by use: the token least used goes first, until the size is reached.

Definition: one step removes, of the tokens that may go, the one with the fewest occurrences in the corpus,
and counts the corpus anew as the tokens that are left cut it. Unused ids go first: they cost rows and have
no occurrences. Ties: in BPE the token whose merge comes last, in Unigram the one of the lowest score, then
the highest id. What may go:

* BPE: a *leaf*, a token that no merge has as a side (`merged_use`);
* Unigram and WordPiece: any token whose characters are tokens of their own in the form in which they stand
  there (`##x` inside a word), since text that has tokens must not become unknown (`piecewise_use`).

Byte tokens, single characters, added and user-defined tokens, the unknown token and those to be kept never
go; nor does the token of Unigram's lowest score, from which libraries derive that of the unknown one.
Twin: `_reference.prune_slow`. Source: leaf pruning for vocabulary adaptation, arXiv 2512.03989; recounting
exactly, and the models beside byte-level BPE, are ours.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from tokforge.errors import ConfigError
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.merged_use import MergedUse
from tokforge.tokenizer.edit.moving import edited, moved
from tokforge.tokenizer.edit.piecewise_use import PiecewiseUse
from tokforge.tokenizer.edit.references import referenced_ids
from tokforge.tokenizer.edit.remove import compacting
from tokforge.tokenizer.model import BpeModel, Definition, UnigramModel, WordLevelModel, WordPieceModel
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["PruneStep", "Pruned", "protected_ids", "prune", "require_prunable"]

Progress = Callable[[str, int, int], object]


class PruneStep(NamedTuple):
    """One removal."""

    id: int
    """The old id."""
    occurrences: int
    """How often the corpus held it when it went."""
    tokens: int
    """Tokens of the corpus after it went."""


class Pruned(NamedTuple):
    """What pruning returns."""

    tokenizer: Tokenizer
    id_map: IdMap
    steps: tuple[PruneStep, ...]


class _Use(Protocol):
    """The corpus as the tokens that are left cut it."""

    @property
    def tokens(self) -> int:
        """Tokens of the corpus."""

    def count(self, token_id: int) -> int:
        """Returns how often the corpus holds a token."""

    def may_go(self, token_id: int) -> bool:
        """Tells whether a token may be removed now."""

    def priority(self, token_id: int) -> float:
        """Of tokens that occur alike, the highest goes first."""

    def drop(self, token_id: int) -> Iterable[int]:
        """Removes a token and cuts the corpus anew; returns the tokens that may go now or occur otherwise."""


def prune(
    tokenizer: Tokenizer,
    texts: Mapping[bytes, int],
    vocab_size: int,
    *,
    keep: Collection[int] = (),
    progress: Progress | None = None,
) -> Pruned:
    """Returns the tokenizer cut down to ``vocab_size`` ids by use.

    Args:
        texts: pretoken -> occurrences, as the tokenizer's normaliser and splitter make them of the corpus
            (whole documents where it has no splitter).
        keep: ids that must stay, and so what they are made of.
        progress: called with the phase "prune" and removals, done and in all.

    Raises:
        ConfigError: the model cannot be pruned, or fewer ids than asked for may go.
    """
    definition = tokenizer.definition
    require_prunable(tokenizer)
    excess = tokenizer.vocab_size - vocab_size
    if excess < 0:
        raise ConfigError(
            f"vocab_size is {vocab_size}, above the {tokenizer.vocab_size} there are", "use a smaller size"
        )
    fixed = protected_ids(definition, keep)
    steps = tuple(_steps(definition, _use_of(definition, texts, fixed), excess, progress))
    if len(steps) < excess:
        least = tokenizer.vocab_size - len(steps)
        raise ConfigError(
            f"vocab_size is {vocab_size}, and only {len(steps)} ids may go", f"use {least} or more"
        )
    id_map = compacting(tokenizer.vocab_size, [step.id for step in steps])
    note = {"operation": "prune", "vocab_size": vocab_size, "removed": len(steps)}
    return Pruned(*edited(tokenizer, moved(definition, id_map), id_map, note), steps)


def require_prunable(tokenizer: Tokenizer) -> None:
    """Raises ConfigError if the model is one whose use is not counted here."""
    model = tokenizer.definition.model
    refused = None
    if isinstance(model, WordLevelModel):
        refused = "WordLevel is not pruned by use: each token is a whole word, which would become unknown"
    elif isinstance(model, BpeModel) and (model.continuing_subword_prefix or model.end_of_word_suffix):
        refused = "BPE with a prefix or suffix of its tokens is not pruned by use"
    elif isinstance(model, BpeModel) and model.atoms == "characters" and model.ignore_merges:
        refused = "BPE of characters with ignore_merges is not pruned by use"
    if refused:
        raise ConfigError(refused, "remove tokens by name instead")


def protected_ids(definition: Definition, keep: Collection[int]) -> set[int]:
    """Returns the ids that pruning leaves whatever their use."""
    kinds, model = definition.table.kinds, definition.model
    fixed = {token_id for token_id, kind in enumerate(kinds) if kind in ("byte", "special", "added")}
    fixed |= {token.id for token in definition.added_tokens} | set(referenced_ids(definition.pipeline))
    fixed |= set(keep) | ({model.unk_id} if model.unk_id is not None else set())
    match model:
        case BpeModel(atoms="bytes"):
            return fixed
        case BpeModel():
            return fixed | set(model.user_defined) | set(_alone(definition).values())
        case UnigramModel():
            scored = [(score, i) for i, score in enumerate(model.scores) if score is not None]
            lowest = min((entry for entry in scored if kinds[entry[1]] == "normal"), default=None)
            fixed |= set(model.user_defined) | ({lowest[1]} if lowest else set())
    return fixed | _irreplaceable(definition)


_Form = tuple[str, bool]
"""A character, and whether it stands inside a word of a model that tells."""


def _alone(definition: Definition) -> dict[_Form, int]:
    """Returns the characters that are tokens, by their forms."""
    kinds = definition.table.kinds
    forms = {i: _forms(definition, i) for i, kind in enumerate(kinds) if kind in ("normal", "continuing")}
    return {form[0]: token_id for token_id, form in forms.items() if len(form) == 1}


def _irreplaceable(definition: Definition) -> set[int]:
    """Returns single characters, and the tokens that hold one which is no token in the form it has there."""
    alone = _alone(definition)
    found = set(alone.values())
    for token_id, kind in enumerate(definition.table.kinds):
        if kind in ("normal", "continuing") and not all(f in alone for f in _forms(definition, token_id)):
            found.add(token_id)
    return found


def _forms(definition: Definition, token_id: int) -> list[_Form]:
    text = definition.table.tokens[token_id].decode("utf-8", "surrogateescape")
    starts = definition.table.kinds[token_id] == "normal"
    tells = isinstance(definition.model, WordPieceModel)
    return [(character, tells and not (starts and place == 0)) for place, character in enumerate(text)]


def _use_of(definition: Definition, texts: Mapping[bytes, int], fixed: set[int]) -> _Use:
    if isinstance(definition.model, BpeModel):
        return MergedUse(definition, definition.model, texts, fixed)
    return PiecewiseUse(definition, texts, fixed)


def _steps(definition: Definition, use: _Use, excess: int, progress: Progress | None) -> Iterator[PruneStep]:
    kinds = definition.table.kinds

    def entry(token_id: int) -> tuple[bool, int, float, int, int]:
        """The order of removal; the last field is the id."""
        used = kinds[token_id] != "unused"
        return used, use.count(token_id), -use.priority(token_id), -token_id, token_id

    queue = [entry(token_id) for token_id in range(len(kinds)) if use.may_go(token_id)]
    heapq.heapify(queue)
    done = 0
    while queue and done < excess:
        first = heapq.heappop(queue)
        token_id = first[-1]
        if not use.may_go(token_id) or first != entry(token_id):
            continue  # stale: it went, or a newer entry says how often it occurs now
        for other in use.drop(token_id):
            if use.may_go(other):
                heapq.heappush(queue, entry(other))
        done += 1
        if progress is not None:
            progress("prune", done, excess)
        yield PruneStep(token_id, first[1], use.tokens)
