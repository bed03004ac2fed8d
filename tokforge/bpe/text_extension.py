"""Extending BPE of characters (Llama 2, Gemma, Mistral) on the engine that trains on bytes.

The engine starts from bytes, so characters become its first merges: each known character is made of its
bytes before any other pair is joined, and from there on the old merges stand in their ranks. So words fall
into the old tokenizer's own ids, and training goes on from them. Old ids keep their numbers; what only the
engine needs (bytes that are no characters, beginnings of characters) is numbered behind them, takes part in
no learned pair, and is dropped afterwards.

A word is a run of known characters, as the tokenizer's pipeline makes them: characters that become byte
tokens or the unknown one are borders, since these never merge. A pipeline of this kind often has no
splitter, and what the first training kept apart (words, digits, punctuation) shows in its tokens alone: two
kinds of character that stand side by side in no old token are not joined in a new one either.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import category

from tokforge.bpe.start import Start
from tokforge.inputs import ByteView, batches
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.edit.merged_use import characters_of, known_runs
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.model import BpeModel, Definition, Merge

if TYPE_CHECKING:
    from tokforge import _core

__all__ = ["byte_start", "collect_text", "count_text", "extended_characters", "own_ids"]

_MARK = "\u2581"
"""The spelled space: a kind of its own."""


def extended_characters(start: Start) -> Tokenizer | None:
    """Returns the BPE of characters that ``start`` extends, None if it extends another or none."""
    model = start.extends.definition.model if start.extends else None
    return start.extends if isinstance(model, BpeModel) and model.atoms == "characters" else None


def collect_text(documents: Iterable[ByteView], tokenizer: Tokenizer) -> "_core.WordCounts":
    """Counts the words that new merges may be learned in."""
    from tokforge import _core

    words = count_text(tokenizer.definition, count_pretokens(tokenizer, batches(documents)))
    table = _core.WordCounts(_core.Splitter([]), 1)
    table.add_counts(list(words), list(words.values()))
    return table


def count_text(definition: Definition, pretokens: Mapping[bytes, int]) -> Counter[bytes]:
    """Returns the words of pretokens with their counts."""
    joined = _joined_kinds(definition)
    words: Counter[bytes] = Counter()
    for run, weight in known_runs(definition, pretokens):
        for word in _words(run.decode(), joined):
            words[word.encode()] += weight
    return words


def _words(run: str, joined: set[tuple[str, str]]) -> list[str]:
    """Cuts a run between kinds of character that no token joins."""
    kinds = [_kind(character) for character in run]
    cuts = [at for at, pair in enumerate(pairwise(kinds), 1) if pair not in joined]
    return [run[start:end] for start, end in pairwise([0, *cuts, len(run)])]


def _joined_kinds(definition: Definition) -> set[tuple[str, str]]:
    """Returns the kinds of character that stand side by side in a token of ``definition``."""
    joined: set[tuple[str, str]] = set()
    for token, kind in zip(definition.table.tokens, definition.table.kinds, strict=True):
        if kind == "normal":
            joined.update(pairwise(map(_kind, token.decode("utf-8", "replace"))))
    return joined


def _kind(character: str) -> str:
    """Returns Unicode's category: small letter, decimal digit, opening bracket..."""
    return _MARK if character == _MARK else category(character)


def byte_start(start: Start, definition: Definition) -> Start:
    """Returns what the engine starts from, where ``start`` extends ``definition``; see the module."""
    tokens: list[bytes | None] = [
        token if kind == "normal" else None
        for token, kind in zip(definition.table.tokens, definition.table.kinds, strict=True)
    ]
    ids = {token: at for at, token in enumerate(tokens) if token is not None}
    merges: dict[Merge, None] = {}

    def id_of(token: bytes) -> int:
        at = ids.setdefault(token, len(tokens))
        if at == len(tokens):
            tokens.append(token)
        return at

    for byte in range(256):
        id_of(bytes((byte,)))
    for character in characters_of(definition):
        spelt = character.encode()
        for end in range(2, len(spelt) + 1):
            merges[ids[spelt[: end - 1]], ids[spelt[end - 1 : end]], id_of(spelt[:end])] = None
    return replace(start, tokens=tuple(tokens), merges=(*merges, *start.merges))


def own_ids(merges: Sequence[Merge], start: Start, engines: Start) -> list[Merge]:
    """Returns merges learned from ``engines`` with the ids that follow those of ``start``."""
    dropped = len(engines.tokens) - len(start.tokens)

    def own(token_id: int) -> int:
        return token_id if token_id < len(start.tokens) else token_id - dropped

    return [(own(left), own(right), own(merged)) for left, right, merged in merges]
