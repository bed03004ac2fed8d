"""What `--allow-lossy` gives up so that a format can hold a tokenizer at all, each loss named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.errors import ExportError
from tokforge.tokenizer.formats.ranks import products, ranked_definition
from tokforge.tokenizer.model import BpeModel, Definition, Pipeline

__all__ = ["Adapted", "adapted"]

IdMap = npt.NDArray[np.int64]


class Adapted(NamedTuple):
    """A definition that the format can hold, what was changed, and (old vocab_size,) new ids, -1 where
    there is none; None where all ids stay."""

    definition: Definition
    changes: tuple[str, ...]
    id_map: IdMap | None


def adapted(definition: Definition, to: str) -> Adapted:
    """Returns the nearest definition that the format ``to`` can hold; raises ExportError where none is."""
    changes: list[str] = []
    pipeline = definition.pipeline
    if pipeline.normalizers and to in _PLAIN:
        changes.append("text is no longer normalised: the format has no normaliser")
        pipeline = replace(pipeline, normalizers=())
    if to == "vocab-merges" and pipeline.pretokenizers != ("gpt2",):
        changes.append("text is split as GPT-2 does: the format names no splitter")
        pipeline = replace(pipeline, kind="text", pretokenizers=("gpt2",))
    if to in ("bbpe", "bbpe-latin1") and pipeline.kind != "binary":
        changes.append("text is no longer split: the format has no splitter")
        pipeline = Pipeline("binary")
    definition = replace(definition, pipeline=pipeline)
    if to in ("tiktoken", "tekken"):
        return _renumbered(definition, changes, specials_first=to == "tekken")
    if not changes:
        raise ExportError(f"nothing that may be given up would help {to} to hold it", "choose another format")
    return Adapted(definition, tuple(changes), None)


_PLAIN = ("tiktoken", "tekken", "vocab-merges", "bbpe", "bbpe-latin1")
"""Formats without a normaliser."""


def _renumbered(definition: Definition, changes: list[str], *, specials_first: bool) -> Adapted:
    """Gives ids in rank order: bytes, merged tokens, those that no merge makes; specials before or after."""
    if not isinstance(definition.model, BpeModel) or definition.model.atoms != "bytes":
        raise ExportError(
            "ranks hold byte-level BPE, and this is another model", "choose a format that has it"
        )
    table = definition.table
    bytewise = table.every_byte_id() if specials_first else sorted(table.every_byte_id())
    ordinary = [i for i, token in enumerate(table.ordinary()) if token is not None]
    ranked = list(dict.fromkeys([*bytewise, *products(definition), *ordinary]))
    specials = [token.id for token in definition.added_tokens if token.id not in set(ordinary)]
    order = [*specials, *ranked] if specials_first else [*ranked, *specials]
    id_map = np.full(len(table), -1, np.int64)
    id_map[order] = np.arange(len(order))
    moved = int((id_map != np.arange(len(table)))[order].sum())
    if moved:
        changes.append(f"{moved} ids change: the format numbers tokens by rank")
    definition = _with_order(definition, order, set(specials), id_map)
    return Adapted(definition, tuple(changes), id_map if moved else None)


def _with_order(
    definition: Definition, order: Sequence[int], specials: set[int], id_map: IdMap
) -> Definition:
    tokens = [None if i in specials else definition.table.tokens[i] for i in order]
    added = [
        replace(token, id=int(id_map[token.id])) for token in definition.added_tokens if token.id in specials
    ]
    renumbered = ranked_definition(tokens, (), added, "renumbered")
    return replace(renumbered, pipeline=definition.pipeline)
