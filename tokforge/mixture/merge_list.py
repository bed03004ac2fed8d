"""Which merges of a tokenizer say something about its training data, in which order.

A trained BPE lists its merges in the order they were made. Tokenizers that cannot answer are
refused with the reason; merges that another tokenizer bequeathed are applied but not judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tokforge.errors import ConfigError
from tokforge.mixture.characters import WORDS, Barred, character_merges
from tokforge.tokenizer import Pipeline, Tokenizer
from tokforge.tokenizer.model import BpeModel, Merge

__all__ = ["MergeList", "cut_of", "merge_list", "one_merge_a_token"]

_FEW_REPEATED = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeList:
    """The first T merges of a tokenizer."""

    merges: tuple[Merge, ...]
    lens: tuple[int, ...]
    """Bytes of each id's token; 0 where it takes no part in merging."""
    byte_ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    all_merges: tuple[Merge, ...]
    """Those behind them too: what a known prefix is looked for in."""
    first: int = 0
    """First merge to judge."""
    built: int = 0
    """Merges at the start that make characters out of bytes."""
    barred: Barred | None = None
    """Which pairs the trainer could never have merged; None where it could all."""
    unrecoverable: tuple[bytes, ...] = ()
    """Tokens of a converted list whose merge is not known; they are left out."""

    def shortened(self, stop: int) -> "MergeList":
        """Returns the list without the merges from ``stop`` on."""
        return replace(self, merges=self.merges[:stop])


def merge_list(tokenizer: Tokenizer, merges: int | None, first: int = 0) -> MergeList:
    """Returns the first ``merges`` merges behind ``first``; all if None.

    Raises ConfigError for a tokenizer without merges.
    """
    characters = _check_kind(tokenizer)
    available, unrecoverable = one_merge_a_token(
        tokenizer.merges, tokenizer.table.tokens, characters=characters
    )
    if characters:
        return _of_characters(tokenizer, available, unrecoverable, merges, first)
    if first >= len(available):
        raise ConfigError(
            f"all {len(available)} merges are inherited", "there is nothing of its own to judge"
        )
    stop = len(available) if merges is None else min(first + merges, len(available))
    ordinary = tokenizer.table.ordinary()
    return MergeList(
        merges=available[:stop],
        lens=tuple(len(token or b"") for token in ordinary),
        byte_ids=tuple(tokenizer.table.every_byte_id()),
        tokens=tokenizer.table.tokens,
        all_merges=available,
        first=first,
        unrecoverable=unrecoverable,
    )


def _of_characters(
    tokenizer: Tokenizer,
    available: tuple[Merge, ...],
    unrecoverable: tuple[bytes, ...],
    merges: int | None,
    first: int,
) -> MergeList:
    found = character_merges(available, tokenizer.table.tokens, tokenizer.table.byte_ids())
    own = len(found.merges) - found.built
    if first >= own:
        raise ConfigError(f"all {own} merges are inherited", "there is nothing of its own to judge")
    stop = found.built + (own if merges is None else min(first + merges, own))
    return MergeList(
        merges=found.merges[:stop],
        lens=found.lens,
        byte_ids=found.byte_ids,
        tokens=found.tokens,
        all_merges=found.merges[found.built :],
        first=found.built + first,
        built=found.built,
        barred=found.barred,
        unrecoverable=unrecoverable,
    )


def cut_of(tokenizer: Tokenizer) -> Pipeline:
    """Returns how the references of a tokenizer are cut into words."""
    if not _check_kind(tokenizer):
        return tokenizer.pipeline
    return Pipeline(kind="text", pretokenizers=(WORDS,))


def _check_kind(tokenizer: Tokenizer) -> bool:
    """Returns whether it merges characters; refuses what has no order of merges to read."""
    model = tokenizer.definition.model
    if not isinstance(model, BpeModel) or not model.merges:
        kind = type(model).__name__.removesuffix("Model")
        raise ConfigError(
            f"the tokenizer ({kind}) has no merges, and their order is what tells of its training data",
            "give a BPE tokenizer; Unigram and WordPiece do not record the order of their choices",
        )
    if model.atoms != "bytes":
        return True
    if not all(isinstance(one, str) for one in tokenizer.pipeline.pretokenizers):
        raise ConfigError(
            "the tokenizer cuts words by more than regexes", "give one whose pre-tokenizers are regexes"
        )
    return False


def one_merge_a_token(
    merges: Sequence[Merge], tokens: Sequence[bytes], *, characters: bool = False
) -> tuple[tuple[Merge, ...], tuple[bytes, ...]]:
    """Returns the merges as a trainer made them, and the tokens whose merge cannot be recovered.

    A list converted from ranks (tiktoken, SentencePiece) holds every split of each token. There the
    token's rank is its id, and its merge is what BPE over lower ranks leaves of it: two parts, else the
    token was not made by merging. A trainer itself makes a token twice now and then, so a list with few
    such tokens is left as it is. Source: karpathy/minbpe, gpt4.py; openai/tiktoken#60.
    """
    products = {merged for _, _, merged in merges}
    if len(merges) - len(products) <= _FEW_REPEATED * len(merges):
        return tuple(merges), ()
    ranks = {tokens[merged]: merged for merged in products}
    ids = ranks | {tokens[one]: one for left, right, _ in merges for one in (left, right)}
    recovered: list[Merge] = []
    lost: list[bytes] = []
    for merged in sorted(products):
        parts = _parts(_atoms(tokens[merged], characters), ranks, merged)
        if len(parts) == 2:
            recovered.append((ids[parts[0]], ids[parts[1]], merged))
        else:
            lost.append(tokens[merged])
    return tuple(recovered), tuple(lost)


def _atoms(token: bytes, characters: bool) -> list[bytes]:
    if characters:
        return [
            character.encode("utf-8", "surrogateescape")
            for character in token.decode(errors="surrogateescape")
        ]
    return [token[at : at + 1] for at in range(len(token))]


def _parts(parts: list[bytes], ranks: Mapping[bytes, int], below: int) -> list[bytes]:
    """Merges the atoms of a token by the lowest rank, as long as it lies below ``below``."""
    while len(parts) > 2:
        best, at = min(
            (ranks.get(left + right, below), at) for at, (left, right) in enumerate(pairwise(parts))
        )
        if best >= below:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts
