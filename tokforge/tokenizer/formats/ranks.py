"""BPE ranked by product, as tiktoken, tekken and sentencepiece hold it, and when ranking by pair is the same.

A model ranks by product if any two neighbours that join to a token may merge, the lowest-ranked token
first; by pair if its merges are listed (Hugging Face). A pair-ranked model is one of products if

1. its merges make each token once, in the order of the tokens' ranks, and every token is reached by
   merging its own bytes. Proof: let both have merged all ranks below that of t alike. A pair (l, r) that
   joins to t is then the encoding of t's bytes; so is the listed pair, since t is reached; encoding is a
   function, so the two pairs are one, and both models do the same at t's rank. Or
2. its merges are all splits of all tokens, product by product, as transformers' converters write them;
   then the two differ at most on overlaps of one product with itself, which the probes are to show.

Linear in the bytes of the vocabulary, but for encoding each token once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from tokforge.errors import ExportError, FormatError, TokforgeError
from tokforge.tokenizer.display import printable, quoted
from tokforge.tokenizer.formats.pair_order import pair_order
from tokforge.tokenizer.formats.reading import placed
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Merge,
    Pipeline,
    product_merges,
    table_of,
)

__all__ = ["MAX_SPARSENESS", "by_pair", "dense_table", "products", "ranked_definition", "ranks_of"]

MAX_SPARSENESS = 16
"""Ranks may reach this many times the number of tokens: one absurd rank must not size the table."""


def dense_table(ranks: Mapping[bytes, int], where: str) -> list[bytes | None]:
    """Returns the token of each rank, None for a hole."""
    size = max(ranks.values()) + 1
    if size > MAX_SPARSENESS * max(len(ranks), 256):
        raise FormatError(
            f"rank {size - 1} is absurdly high for {len(ranks)} tokens", "number them densely", where
        )
    tokens: list[bytes | None] = [None] * size
    for token, rank in ranks.items():
        tokens[rank] = token
    return tokens


def ranked_definition(
    tokens: Sequence[bytes | None], stages: tuple[str, ...], added: Sequence[AddedToken], where: str
) -> Definition:
    """Builds the definition of a byte-level model in which a token's id is also its rank.

    Raises FormatError, placed in the file, for a special token whose id is taken or absurdly high.
    """
    size = max([len(tokens), *(token.id + 1 for token in added)])
    if size > MAX_SPARSENESS * max(len(tokens), 256):
        raise FormatError(
            f"a special token has the id {size - 1}, absurdly high", "number them densely", where
        )
    filled = [*tokens, *[None] * (size - len(tokens))]
    taken = next((token for token in added if filled[token.id] is not None), None)
    if taken is not None:
        raise FormatError(
            f"id {taken.id} of the special token {quoted(taken.text)} is an ordinary token's",
            "give it another",
            where,
        )
    merges, ranks = product_merges(
        filled, [(i, i) for i, token in enumerate(filled) if token and len(token) > 1]
    )
    model = BpeModel(merges, ignore_merges=True, ranks=ranks)
    try:
        return Definition(table_of(filled, added), model, Pipeline("text", stages), tuple(added))
    except TokforgeError as error:
        raise placed(error, where) from error


def ranks_of(definition: Definition) -> list[tuple[bytes, int]]:
    """Returns (token, id) in rank order for a byte-level model that tiktoken can hold, where rank is id.

    Raises ExportError, with the token at fault, for every other.
    """
    model = definition.model
    if not isinstance(model, BpeModel) or model.atoms != "bytes":
        raise ExportError(
            "ranks hold byte-level BPE, and this is another model", "choose a format that has it"
        )
    if not model.ignore_merges and _unreachable(definition):
        raise ExportError(
            "some tokens are not reached by merges, and tiktoken gives a pretoken that is a token as it is",
            "choose tokenizer.json, which lists merges",
        )
    merged = products(definition)
    order = [i for i, token in enumerate(definition.table.ordinary()) if token is not None]
    swapped = next((pair for pair in pairwise(merged) if pair[0] > pair[1]), None)
    if swapped is not None:
        raise ExportError(
            f"id {swapped[1]} is merged after id {swapped[0]}, but ranks are ids here",
            "renumber with --allow-lossy, or choose tokenizer.json",
        )
    return [(definition.table.tokens[token_id], token_id) for token_id in order]


def products(definition: Definition) -> list[int]:
    """Returns the merged tokens' ids in the order in which a model of products merges them.

    Raises ExportError where the model is not one of products.
    """
    model = definition.model
    if not isinstance(model, BpeModel):
        raise ExportError("this is no BPE model", "choose a format that has its model")
    order = list(dict.fromkeys(merged for _, _, merged in model.merges))
    if model.ranks is not None:
        _check_distinct(definition, model.merges, model.ranks)
        return order
    if len(order) == len(model.merges) and not _unreachable(definition):
        return order
    tokens = _taking_part(definition)
    # Tokens that no merge makes stand last: had they a split, the model of products would make them.
    scored = dict.fromkeys([*order, *(i for i, token in enumerate(tokens) if token)])
    expected, _ = product_merges(tokens, list(enumerate(scored)))
    if _grouped(model.merges) != _grouped(expected):
        raise ExportError(
            "its merges list pairs, and merging any pair that joins to a token would give other ids",
            "choose a format that lists merges, such as tokenizer.json",
        )
    return order


def _taking_part(definition: Definition) -> list[bytes | None]:
    """Returns, by id, the tokens that merge; in a model of characters, byte tokens do not."""
    table = definition.table
    model = definition.model
    fallback = isinstance(model, BpeModel) and model.atoms == "characters"
    return [
        None if fallback and kind == "byte" else token
        for token, kind in zip(table.ordinary(), table.kinds, strict=True)
    ]


def _grouped(merges: Sequence[tuple[int, int, int]]) -> list[tuple[int, frozenset[tuple[int, int]]]]:
    """Returns the pairs of each product, products in the order in which they appear, runs kept apart."""
    groups: list[tuple[int, set[tuple[int, int]]]] = []
    for left, right, merged in merges:
        if not groups or groups[-1][0] != merged:
            groups.append((merged, set()))
        groups[-1][1].add((left, right))
    return [(merged, frozenset(pairs)) for merged, pairs in groups]


def _check_distinct(
    definition: Definition, merges: Sequence[tuple[int, int, int]], ranks: Sequence[int]
) -> None:
    """Refuses two products of one rank: which of them merges first then depends on the place alone."""
    owners: dict[int, int] = {}
    for (_, _, merged), rank in zip(merges, ranks, strict=True):
        if owners.setdefault(rank, merged) != merged:
            names = [printable(definition.table.tokens[one]) for one in (owners[rank], merged)]
            raise ExportError(
                f"the tokens {names[0]} and {names[1]} have one rank (or score)",
                "only formats that rank by product keep that",
            )


def _unreachable(definition: Definition) -> bool:
    from tokforge.tokenizer.reach import unreachable_tokens
    from tokforge.tokenizer.tokenizer import Tokenizer

    return bool(unreachable_tokens(Tokenizer(definition)))


def by_pair(definition: Definition) -> Definition:
    """Returns the same tokenizer with its merges ranked by pair, as Hugging Face lists them.

    One merge a token where that is proven to be enough (rule 1 above), else all splits in order.
    Raises ExportError where no order of pairs does what the ranks do.
    """
    model = definition.model
    if not isinstance(model, BpeModel) or model.ranks is None:
        return definition
    if model.atoms == "bytes":
        merges = _one_each(definition)
        lean = replace(model, ranks=None, merges=merges, ignore_merges=False)
        shortest = replace(definition, model=lean)
        if len(merges) == len(set(model.ranks)) and not _unreachable(shortest):
            return shortest
    return replace(definition, model=replace(model, ranks=None, merges=pair_order(definition)))


def _one_each(definition: Definition) -> tuple[Merge, ...]:
    """Returns, for each merged token that has one, the merge that ends the merging of its own bytes."""
    model = definition.model
    if not isinstance(model, BpeModel) or model.ranks is None:
        return ()
    splits: dict[int, list[Merge]] = {}
    ranks: dict[tuple[int, int], tuple[int, int]] = {}
    for merge, rank in zip(model.merges, model.ranks, strict=True):
        splits.setdefault(merge[2], []).append(merge)
        ranks[merge[0], merge[1]] = (rank, merge[2])
    bytewise, tokens = definition.table.every_byte_id(), definition.table.tokens
    last = (
        these[0]
        if len(these) == 1
        else _last_merge([bytewise[byte] for byte in tokens[merged]], merged, ranks)
        for merged, these in splits.items()
    )
    return tuple(merge for merge in last if merge is not None)


def _last_merge(ids: list[int], merged: int, ranks: dict[tuple[int, int], tuple[int, int]]) -> Merge | None:
    """Merges the bytes ``ids`` of a token by all lower ranks; returns the pair that is left, if it is one."""
    while len(ids) > 2:
        ranked = [(*ranks[pair], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]
        best = min(((rank, at, product) for rank, product, at in ranked if product != merged), default=None)
        if best is None:
            return None
        _, at, product = best
        ids[at : at + 2] = [product]
    ends_here = len(ids) == 2 and ranks.get((ids[0], ids[1]), (0, -1))[1] == merged
    return (ids[0], ids[1], merged) if ends_here else None
