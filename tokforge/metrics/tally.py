"""Counts of one tokenizer over some documents: all that the metrics need, gathered in one pass.

Definition: a `Tally` holds sums, so tallies of disjoint documents add. Invariant: it is the same for any
batching and any number of threads, its seconds aside. Memory: O(vocabulary + documents); the ids of a
batch are dropped once they are counted. Complexity: a few array operations for each token and byte.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.metrics.offsets import starts_of
from tokforge.metrics.text import Spans, Text
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Tokenizer

__all__ = ["LEAST_SPELLED", "SpanCount", "Tally", "tally", "token_marks"]

Array: TypeAlias = npt.NDArray[Any]


LEAST_SPELLED = 0.95
"""Below this share of the text, what is not spelled is lost, and the tokenizer's figures are of less text."""


class SpanCount(NamedTuple):
    """How spans of one kind (words, identifiers, numbers) fall into tokens."""

    spans: int = 0
    whole: int = 0
    """Spans within one token."""
    tokens: int = 0
    """Tokens that hold a byte of a span, one counted for each span it holds a byte of."""
    bytes: int = 0
    left: int = 0
    """Spans that are not counted: their document's tokens could not be laid on its bytes."""

    def __add__(self, other: object) -> "SpanCount":  # tuples would be laid end to end
        if not isinstance(other, SpanCount):
            return NotImplemented
        return SpanCount(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


_NONE = SpanCount()


@dataclass(frozen=True)
class Tally:
    """One tokenizer's counts over some documents."""

    vocabulary: Vocabulary
    counts: Array
    """(vocab,) int64 - occurrences of each id."""
    tokens: Array
    """(documents,) int64 - tokens of each document."""
    bytes: int
    characters: int
    words: int
    lexical: SpanCount = _NONE
    identifiers: SpanCount = _NONE
    numbers: SpanCount = _NONE
    unaligned: int = 0
    """Documents whose tokens could not be laid on their bytes; no span of theirs is counted."""
    seconds: float = field(default=0.0, compare=False)
    """Time in the encoder."""

    @property
    def total(self) -> int:
        """Tokens in all."""
        return int(self.counts.sum())

    @property
    def spelled_share(self) -> float:
        """Bytes that the ordinary tokens spell over those of the text: below 1 where white space is dropped,
        or a token stands for the unknown; above where a space is put in front."""
        kept = self.counts * self.vocabulary.sizes
        return float(kept[self.vocabulary.ordinary].sum()) / self.bytes if self.bytes else 1.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.vocabulary,
            self.counts + other.counts,
            np.concatenate([self.tokens, other.tokens]),
            self.bytes + other.bytes,
            self.characters + other.characters,
            self.words + other.words,
            self.lexical + other.lexical,
            self.identifiers + other.identifiers,
            self.numbers + other.numbers,
            self.unaligned + other.unaligned,
            self.seconds + other.seconds,
        )


def tally(vocabulary: Vocabulary, text: Text, threads: int | None = None) -> Tally:
    """Encodes the documents of ``text`` and counts."""
    started = perf_counter()
    ids, boundaries = vocabulary.tokenizer.encode_batch(text.documents, threads)
    seconds = perf_counter() - started
    lexical, identifiers, numbers, unaligned = _spans(vocabulary, text, ids, boundaries.astype(np.int64))
    return Tally(
        vocabulary,
        np.bincount(ids, minlength=vocabulary.size),
        np.diff(boundaries).astype(np.int64),
        int(text.bytes.sum()),
        int(text.characters.sum()),
        int(text.words.sum()),
        lexical,
        identifiers,
        numbers,
        unaligned,
        seconds,
    )


def _spans(
    vocabulary: Vocabulary, text: Text, ids: Array, boundaries: Array
) -> tuple[SpanCount, SpanCount, SpanCount, int]:
    marks, aligned = token_marks(vocabulary, text, ids, boundaries)
    kinds = [text.lexical, text.identifiers, text.numbers]
    all_spans = [len(spans.starts) for spans in kinds]
    if not aligned.all():
        ends = np.cumsum(text.bytes)
        kinds = [spans.chosen(aligned[np.searchsorted(ends, spans.starts, "right")]) for spans in kinds]
    counts = (_span_count(marks, spans) for spans in kinds)
    lexical, identifiers, numbers = (
        count._replace(left=spans - count.spans) for count, spans in zip(counts, all_spans, strict=True)
    )
    return lexical, identifiers, numbers, int((~aligned).sum())


def token_marks(vocabulary: Vocabulary, text: Text, ids: Array, boundaries: Array) -> tuple[Array, Array]:
    """Returns (bytes,) int32, the tokens that begin at or before each byte; and (documents,) bool,
    whether a document's tokens could be laid on its bytes.

    Tokens lie end to end where their lengths sum to the document's. Where they do not (a tokenizer that
    adds or changes characters), the tokenizer is asked for offsets, and may refuse.
    """
    sums = np.concatenate([[0], np.cumsum(vocabulary.lengths[ids])])
    begins = np.concatenate([[0], np.cumsum(text.bytes)])
    aligned = np.diff(sums[boundaries]) == text.bytes
    marks = np.zeros(int(begins[-1]) + 1, np.int32)
    if aligned.all():
        marks[sums[:-1]] = 1
    else:
        shift = np.repeat(begins[:-1] - sums[boundaries[:-1]], np.diff(boundaries))
        kept = np.repeat(aligned, np.diff(boundaries))
        marks[(sums[:-1] + shift)[kept]] = 1
        for number in np.flatnonzero(~aligned).tolist():
            own = vocabulary.lengths[ids[boundaries[number] : boundaries[number + 1]]]
            starts = _offsets(vocabulary.tokenizer, text.documents[number], own)
            if starts is not None:
                marks[begins[number] + starts] = 1
                aligned[number] = True
    return np.cumsum(marks, dtype=np.int32), aligned


def _offsets(tokenizer: Tokenizer, document: bytes, lengths: Array) -> Array | None:
    starts = starts_of(tokenizer, document, lengths)
    if starts is not None:
        return starts
    try:
        return tokenizer.encode_with_offsets(document)[1].astype(np.int64)
    except ConfigError:  # its normaliser changes the text
        return None


def _span_count(marks: Array, spans: Spans) -> SpanCount:
    tokens = marks[spans.ends - 1] - marks[spans.starts] + 1
    sizes = spans.ends - spans.starts
    return SpanCount(len(tokens), int((tokens == 1).sum()), int(tokens.sum()), int(sizes.sum()))
