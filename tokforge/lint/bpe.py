"""A BPE model as any of the field's files spells it, read without judging: vocabulary, merges, options.

Merges stand as pairs of spellings; one that cannot be read is None, so that indices stay those of the file.
Linear in the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tokforge.lint.documents import Document, Place, step
from tokforge.lint.pipeline import is_byte_level
from tokforge.tokenizer.formats.byte_alphabet import unspell

__all__ = ["Bpe", "bpe_of_gguf", "bpe_of_json", "bpe_of_text", "byte_of_piece"]

Pair = tuple[str, str] | None

_SPECIAL_FORM = re.compile(r"<[^<>]+>|\[[^\[\]]+\]")


@dataclass(frozen=True)
class Bpe:
    """A BPE model. ``byte_level``: spelled in the GPT-2 alphabet; else in characters of text."""

    vocab: dict[str, int]
    merges: Sequence[Pair]
    byte_level: bool
    vocab_place: Place
    merges_place: Place
    ignore_merges: bool = False
    byte_fallback: bool = False
    legacy: bool = False
    """Whether merges are strings ``"a b"``."""
    prefix: str = ""
    suffix: str = ""
    special: frozenset[str] = frozenset()
    """Added tokens: matched whole, never made by merges."""

    def merged(self, pair: tuple[str, str]) -> str:
        """Returns the product's spelling: the right side loses the prefix that marks inner pieces."""
        return pair[0] + pair[1][len(self.prefix) :]

    def data(self, token: str) -> bytes | None:
        """Returns the bytes of ``token``, None if it is spelled outside the byte alphabet."""
        return unspell(token) if self.byte_level else token.encode("utf-8", "surrogateescape")

    def token_place(self, token: str) -> Place:
        """Returns where ``token`` stands: by key in JSON, by id in an array."""
        by_id = self.vocab_place.pointer.startswith("/tokenizer.ggml")
        return self.vocab_place.at(self.vocab[token] if by_id else token)

    @cached_property
    def by_id(self) -> dict[int, str]:
        """id -> spelling; of two with one id, the last."""
        return {token_id: token for token, token_id in self.vocab.items()}

    @property
    def byte_tokens(self) -> set[int]:
        """The byte values that ``<0xNN>`` pieces cover, however their hex digits are written."""
        return {value for token in self.vocab if (value := byte_of_piece(token)) is not None}


def byte_of_piece(token: str) -> int | None:
    """Returns the byte that ``<0xNN>`` stands for, strictly two upper-case hex digits."""
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        digits = token[3:5]
        if set(digits) <= set("0123456789ABCDEF"):
            return int(digits, 16)
    return None


def bpe_of_json(document: Document, special: frozenset[str]) -> Bpe | None:
    """Returns the BPE model of a tokenizer.json, None if it is of another type or has no vocabulary."""
    model = step(document.value, "model")
    vocab, merges = step(model, "vocab"), step(model, "merges")
    kind = step(model, "type")
    if kind not in ("BPE", None) or not isinstance(vocab, dict) or not isinstance(merges, list):
        return None
    place = document.place.at("model")
    return Bpe(
        {token: token_id for token, token_id in vocab.items() if type(token_id) is int},
        [_pair(merge) for merge in merges],
        is_byte_level(document) and step(model, "byte_fallback") is not True,
        place.at("vocab"),
        place.at("merges"),
        ignore_merges=step(model, "ignore_merges") is True,
        byte_fallback=step(model, "byte_fallback") is True,
        legacy=any(isinstance(merge, str) for merge in merges[:1]),
        prefix=_text(step(model, "continuing_subword_prefix")),
        suffix=_text(step(model, "end_of_word_suffix")),
        special=special,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _pair(merge: Any) -> Pair:
    if isinstance(merge, list):
        return (
            (merge[0], merge[1]) if len(merge) == 2 and all(isinstance(one, str) for one in merge) else None
        )
    return _legacy_pair(merge) if isinstance(merge, str) else None


def _legacy_pair(merge: str) -> Pair:
    parts = merge.split(" ")
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def bpe_of_text(vocab: Document, merges: bytes, file: str) -> Bpe:
    """Returns the model of a vocab.json and a merges.txt, which are byte-level by convention."""
    lines = merges.decode("utf-8", "replace").splitlines()
    start = 1 if lines and lines[0].startswith("#version") else 0
    tokens = vocab.value if isinstance(vocab.value, dict) else {}
    known = {token: token_id for token, token_id in tokens.items() if type(token_id) is int}
    pairs = [_legacy_pair(line) for line in lines[start:] if line.strip()]
    products = {left + right for left, right in filter(None, pairs)}
    return Bpe(
        known,
        # The header keeps its place among the lines, so that an index is a line.
        [None] * start + pairs,
        all(unspell(token) is not None for token in list(known)[:1000:7]),
        vocab.place,
        Place(file, "/lines"),
        legacy=True,
        # These files do not say which tokens are special; by its form, and because no merge makes it.
        special=frozenset(one for one in known if _SPECIAL_FORM.fullmatch(one) and one not in products),
    )


def bpe_of_gguf(values: dict[str, Any], file: str) -> Bpe | None:
    """Returns the BPE model of a GGUF header, None unless it is of the kind ``gpt2``."""
    tokens, merges = values.get("tokenizer.ggml.tokens"), values.get("tokenizer.ggml.merges")
    if (
        values.get("tokenizer.ggml.model") != "gpt2"
        or not isinstance(tokens, list)
        or not isinstance(merges, list)
    ):
        return None
    kinds = values.get("tokenizer.ggml.token_type") or []
    special = {token for token, kind in zip(tokens, kinds, strict=False) if kind in (3, 4)}
    return Bpe(
        {token: token_id for token_id, token in enumerate(tokens)},
        [_legacy_pair(merge) for merge in merges],
        True,
        Place(file, "/tokenizer.ggml.tokens"),
        Place(file, "/tokenizer.ggml.merges"),
        legacy=True,
        special=frozenset(special),
    )
