"""Cuts a document at its added tokens, and normalises what lies between.

Two passes, as in Hugging Face: tokens that are not ``normalized`` are found in the raw text, then each
gap is normalised and searched for the others. Within a pass the leftmost match wins, then the longest.
Linear in the text for a fixed set of tokens. Models other than byte-level BPE do the same within the engine
(`core/src/pipeline/segments.rs`), by the tables made here. Source: huggingface/tokenizers,
added_vocabulary.rs.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tokforge.errors import ConfigError, UnknownNameError, pick
from tokforge.tokenizer._engine import make_finder, make_normalizer, make_segmenter
from tokforge.tokenizer.model import AddedToken, Pipeline

if TYPE_CHECKING:
    from tokforge._core import Finder
    from tokforge._core import Segmenter as EngineSegmenter
    from tokforge.tokenizer.aligned import Aligned

__all__ = ["AllowedSpecial", "Data", "Segment", "Segmenter"]

AllowedSpecial: TypeAlias = Literal["none", "all"] | Collection[str]
Data: TypeAlias = bytes | bytearray | memoryview

# Unicode's White_Space; str.isspace() also takes U+001C to U+001F, which the engines do not.
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_SPACES = re.compile(b"(?:" + b"|".join(re.escape(char.encode()) for char in _WHITE_SPACE) + b")*")


class Segment(NamedTuple):
    """Bytes to be split and merged, or (``id`` set) an added token; ``start`` is its byte offset."""

    id: int | None
    start: int
    data: Data


@dataclass(frozen=True, slots=True)
class _Pass:
    """The added tokens that are looked for together, with the texts that are looked for."""

    finder: "Finder | None"
    texts: tuple[bytes, ...]
    tokens: tuple[AddedToken, ...]


class Segmenter:
    """Finds added tokens and applies normalisers; built once for a tokenizer."""

    def __init__(self, pipeline: Pipeline, added: Sequence[AddedToken]) -> None:
        self._normalizer = make_normalizer(pipeline)
        self._pipeline = pipeline
        self._texts = {token.text for token in added if token.special}
        self._plain = not pipeline.normalizers and all(token.special for token in added)
        self._raw = _compile({token.text.encode(): token for token in added if not token.normalized})
        found = {self.normal(token.text.encode()): token for token in added if token.normalized}
        self._normalized = _compile({text: token for text, token in found.items() if text})

    def cut(self, data: Data, allowed: AllowedSpecial) -> list[Segment]:
        """Returns the segments in order. With normalisers, their offsets hold only if nothing changed."""
        allowed = self._allowed(allowed)
        if self._plain and not allowed:
            return [Segment(None, 0, data)]
        segments: list[Segment] = []
        for outer in _search(self._raw, Segment(None, 0, bytes(data)), allowed):
            if outer.id is None:
                gap = Segment(None, outer.start, self.normal(bytes(outer.data)))
                segments += _search(self._normalized, gap, allowed)
            else:
                segments.append(outer)
        return segments

    def cut_aligned(self, text: str, allowed: AllowedSpecial) -> "Iterator[tuple[int | None, Aligned]]":
        """Yields id (None for text), and the text with its places.

        Raises ConfigError where the normaliser's alignment cannot be known.
        """
        from tokforge.tokenizer.aligned import Aligned, byte_to_character, normalize_aligned

        texts, places = self._allowed(allowed), byte_to_character(text)
        whole = Aligned(text, [(at, at + 1) for at in range(len(text))])
        for outer in _search(self._raw, Segment(None, 0, text.encode()), texts):
            found = whole.part(places[outer.start], places[outer.start + len(outer.data)])
            if outer.id is not None:
                yield outer.id, found
                continue
            gap = normalize_aligned(self._pipeline, found)
            inside = byte_to_character(gap.text)
            for inner in _search(self._normalized, Segment(None, 0, gap.text.encode()), texts):
                part = gap.part(inside[inner.start], inside[inner.start + len(inner.data)])
                yield inner.id, part

    @cached_property
    def engine(self) -> "EngineSegmenter":
        """The engine's form of it, whose tokens are those of the first pass, then those of the second."""
        texts = [*self._raw.texts, *self._normalized.texts]
        return make_segmenter(self._pipeline, zip(texts, self._tokens, strict=True))

    def counts(self, allowed: AllowedSpecial) -> bytes:
        """Returns a byte for each token of `engine`: whether its text is the token."""
        if allowed == "none" or not allowed:
            return self._plain_counts
        texts = self._allowed(allowed)
        return bytes(not token.special or token.text in texts for token in self._tokens)

    @cached_property
    def _plain_counts(self) -> bytes:
        return bytes(not token.special for token in self._tokens)

    @property
    def _tokens(self) -> tuple[AddedToken, ...]:
        return (*self._raw.tokens, *self._normalized.tokens)

    def changes(self, data: Data) -> bool:
        """Tells whether normalisation changes this text."""
        return bool(self._normalizer) and self.normal(bytes(data)) != data

    @property
    def normalizes(self) -> bool:
        """Whether there is a normaliser."""
        return self._normalizer is not None

    def searched(self, allowed: AllowedSpecial) -> list[tuple[str, AddedToken]]:
        """Returns the added tokens that are looked for, each with its text as it is looked for.

        Where any is, so are special ones that are not allowed: they still hide others.
        """
        if not self._allowed(allowed) and all(token.special for token in self._tokens):
            return []
        texts = (text.decode() for text in (*self._raw.texts, *self._normalized.texts))
        return list(zip(texts, self._tokens, strict=True))

    def require_offsets(self, data: Data) -> None:
        """Raises ConfigError where normalisation moves bytes, so that offsets would point elsewhere."""
        if self.changes(data):
            names = self._pipeline.normalizers
            forms = "+".join(step if isinstance(step, str) else type(step).__name__ for step in names)
            raise ConfigError(f"{forms} changes this text, so its tokens do not tile it", "use encode_spans")

    def normal(self, data: bytes) -> bytes:
        """Returns ``data`` normalised."""
        return self._normalizer.apply(data) if self._normalizer else data

    def _allowed(self, allowed: AllowedSpecial) -> Collection[str]:
        if isinstance(allowed, str):
            return pick("allowed_special", allowed, {"all": self._texts, "none": frozenset()})
        unknown = sorted(set(allowed) - self._texts)
        if unknown:
            known = ", ".join(sorted(self._texts)) or "none at all"
            raise UnknownNameError(
                f"there is no special token {unknown[0]!r}", f"this tokenizer has: {known}"
            )
        return allowed


def _compile(tokens: dict[bytes, AddedToken]) -> _Pass:
    return _Pass(make_finder(tuple(tokens)), tuple(tokens), tuple(tokens.values()))


def _search(these: _Pass, gap: Segment, allowed: Collection[str]) -> Iterator[Segment]:
    """Yields the added tokens in ``gap`` and what lies between; empty gaps are left out."""
    data, done = bytes(gap.data), 0
    for found, until, index, touches_word in these.finder.find(data) if these.finder else ():
        token = these.tokens[index]
        if (token.special and token.text not in allowed) or (token.single_word and touches_word):
            continue  # plain text, though it still hides shorter tokens inside it, as in Hugging Face
        start, end = _stripped(data, token, found, until, done)
        if start > done:
            yield Segment(None, gap.start + done, data[done:start])
        yield Segment(token.id, gap.start + start, data[start:end])
        done = end
    if done < len(data):
        yield Segment(None, gap.start + done, data[done:])


def _stripped(data: bytes, token: AddedToken, start: int, end: int, done: int) -> tuple[int, int]:
    """Widens a match over the white space that an ``lstrip`` or ``rstrip`` token swallows."""
    if token.lstrip:
        before = data[done:start].decode("utf-8", "surrogateescape")
        start = done + len(before.rstrip(_WHITE_SPACE).encode("utf-8", "surrogateescape"))
    if token.rstrip:
        spaces = _SPACES.match(data, end)
        end = spaces.end() if spaces else end
    return start, end
