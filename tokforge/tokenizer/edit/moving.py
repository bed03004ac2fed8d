"""A definition under an id map: every id in it moves, and what names a removed token goes with it.

Linear in the table and the merges. Whether the result is closed is decided before, by the operation;
`Definition` checks it again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tokforge.errors import ConfigError
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.proof import prove_edit
from tokforge.tokenizer.edit.references import move_pipeline
from tokforge.tokenizer.model import (
    BpeModel,
    Definition,
    Kind,
    Model,
    TokenTable,
    UnigramModel,
    WordLevelModel,
)
from tokforge.tokenizer.model.models import WordPieceModel
from tokforge.tokenizer.provenance import check_provenance
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["Edited", "edited", "moved"]


class Edited(NamedTuple):
    """What an edit returns."""

    tokenizer: Tokenizer
    id_map: IdMap


def edited(tokenizer: Tokenizer, definition: Definition, id_map: IdMap, step: Mapping[str, Any]) -> Edited:
    """Returns the finished edit, proven on the probe set; ``step`` joins ``edits`` of the provenance."""
    origin = tokenizer.provenance
    origin["edits"] = [*origin.get("edits", []), dict(step)]
    result = Tokenizer(definition, check_provenance(origin))
    prove_edit(tokenizer, result, id_map)
    return Edited(result, id_map)


def moved(definition: Definition, id_map: IdMap, names: Mapping[str, str] | None = None) -> Definition:
    """Returns ``definition`` with every id mapped; additions are ``unused`` ids, to be filled afterwards.

    ``names``: old text -> new text of added tokens, for the texts inside the pipeline.
    """
    added = tuple(
        replace(token, id=int(id_map.new_of_old[token.id]))
        for token in definition.added_tokens
        if id_map.new_of_old[token.id] >= 0
    )
    gone = frozenset(
        definition.table.tokens[i].decode("utf-8", "surrogateescape") for i in id_map.removed.tolist()
    )
    return replace(
        definition,
        table=_moved_table(definition.table, id_map),
        model=_moved_model(definition.model, id_map),
        pipeline=move_pipeline(definition.pipeline, id_map, names, gone),
        added_tokens=added,
    )


def _moved_table(table: TokenTable, id_map: IdMap) -> TokenTable:
    tokens = [b""] * id_map.new_vocab_size
    kinds: list[Kind] = ["unused"] * id_map.new_vocab_size
    for old, new in enumerate(id_map.new_of_old.tolist()):
        if new >= 0:
            tokens[new], kinds[new] = table.tokens[old], table.kinds[old]
    return TokenTable(tuple(tokens), tuple(kinds))


def _moved_model(model: Model, id_map: IdMap) -> Model:
    match model:
        case BpeModel():
            return _moved_bpe(model, id_map)
        case UnigramModel():
            scores: list[float | None] = [None] * id_map.new_vocab_size
            for old, new in enumerate(id_map.new_of_old.tolist()):
                if new >= 0:
                    scores[new] = model.scores[old]
            return replace(
                model,
                scores=tuple(scores),
                unk_id=_moved_unk(model.unk_id, id_map),
                user_defined=_survivors(model.user_defined, id_map),
            )
        case WordPieceModel() | WordLevelModel():
            special_ids = _survivors(model.special_ids, id_map)
            return replace(model, unk_id=_moved_unk(model.unk_id, id_map), special_ids=special_ids)


def _moved_bpe(model: BpeModel, id_map: IdMap) -> BpeModel:
    merges = np.array(model.merges, np.int64).reshape(-1, 3)
    mapped = id_map.new_of_old[merges]
    alive = (mapped >= 0).all(axis=1)
    left, right, merged = (column.tolist() for column in mapped[alive].T)
    ranks = model.ranks
    return replace(
        model,
        merges=tuple(zip(left, right, merged, strict=True)),
        ranks=None if ranks is None else tuple(np.array(ranks, np.int64)[alive].tolist()),
        unk_id=_moved_unk(model.unk_id, id_map),
        user_defined=_survivors(model.user_defined, id_map),
    )


def _moved_unk(unk_id: int | None, id_map: IdMap) -> Any:
    if unk_id is None:
        return None
    new = int(id_map.new_of_old[unk_id])
    if new < 0:
        raise ConfigError(f"id {unk_id} is the unknown token", "keep it: the model needs one")
    return new


def _survivors(ids: tuple[int, ...], id_map: IdMap) -> tuple[int, ...]:
    return tuple(new for new in id_map.new_of_old[np.array(ids, np.int64)].tolist() if new >= 0)
