"""Families: a smaller vocabulary that is a prefix of a larger one, ids and merges alike."""

from collections.abc import Sequence
from dataclasses import replace

from tokforge.errors import ConfigError
from tokforge.tokenizer.model import BpeModel, Definition, Merge, TokenTable

__all__ = ["prefix_definition"]


def prefix_definition(definition: Definition, vocab_size: int) -> Definition:
    """Returns what training stopped at ``vocab_size`` would have given; raises ConfigError if it cannot tell.

    Training stops as soon as the table is full. So the merges end with the one that made the last id:
    later merges are dropped even if they only join to a token that exists already.
    """
    table, model = definition.table, definition.model
    if not isinstance(model, BpeModel) or not model.is_byte_level:
        raise ConfigError("only byte-level BPE has prefixes", "train the smaller vocabulary instead")
    merges = model.merges
    smallest = 1 + max(max(table.every_byte_id()), *(token.id for token in definition.added_tokens), 0)
    if not smallest <= vocab_size <= len(table):
        raise ConfigError(
            f"no prefix of {vocab_size} ids: this vocabulary has {len(table)}, bytes and added tokens end at "
            f"{smallest - 1}",
            f"use {smallest} to {len(table)}",
        )
    kept = _until(merges, vocab_size, smallest) if vocab_size < len(table) else merges
    made = {merged for _, _, merged in kept}
    for token_id in range(smallest, vocab_size):
        if table.kinds[token_id] == "normal" and token_id not in made:
            raise ConfigError(
                f"id {token_id} is not made by the first {len(kept)} merges",
                "only ids in merge order have prefixes",
            )
    return replace(
        definition,
        table=TokenTable(table.tokens[:vocab_size], table.kinds[:vocab_size]),
        model=replace(model, merges=kept),
    )


def _until(merges: Sequence[Merge], vocab_size: int, smallest: int) -> Sequence[Merge]:
    """Returns the merges up to the one that makes the last id; none, where that is a byte or added token."""
    if vocab_size == smallest:
        return ()
    last = next((rank for rank, merge in enumerate(merges) if merge[2] == vocab_size - 1), len(merges) - 1)
    kept = merges[: last + 1]
    beyond = next((merge[2] for merge in kept if merge[2] >= vocab_size), None)
    if beyond is not None:
        raise ConfigError(
            f"id {beyond} is made before id {vocab_size - 1}", "only ids in merge order have prefixes"
        )
    return kept
