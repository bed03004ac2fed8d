"""A passage of each text as every tokenizer cuts it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from tokforge.errors import ConfigError
from tokforge.metrics.offsets import encode_with_starts
from tokforge.metrics.sections import code_section, sections
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Tokenizer

__all__ = ["SAMPLE_BYTES", "Sample", "Segmentation", "sample_of", "segmentation"]

SAMPLE_BYTES = 700
LEAD_BYTES = 96
"""Bytes that an executable's sample shows before its machine code."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The tokens of one passage."""

    ids: list[int]
    starts: list[int]
    """First byte of each token in the passage."""
    changed: bytes | None = None
    """The bytes that the tokens lie on where normalisation changes the passage, else None."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A passage and its segmentations, by tokenizer."""

    category: str
    data: bytes
    binary: bool
    """Whether the passage is no UTF-8."""
    tokens: dict[str, Segmentation]
    sections: tuple[tuple[str, int], ...] = ()
    """Name with kind, and first byte in the passage (below 0 where it began before), of each section of an
    executable that has bytes in it."""
    start: int = 0
    """Where the passage begins in its document."""


def sample_of(category: str, documents: Sequence[bytes], vocabularies: Sequence[Vocabulary]) -> Sample:
    """Returns a passage of a document that is long enough, as every tokenizer cuts it: the beginning of a
    text, the beginning of an executable's machine code."""
    document = next((one for one in documents if len(one) >= SAMPLE_BYTES), max(documents, key=len))
    start, data = 0, _passage(document)
    if not _is_text(data):
        start = max(0, code_section(document) - LEAD_BYTES)
        data = document[start : start + SAMPLE_BYTES]
    named = [
        one.place(start)
        for one in sections(document)
        if one.start < start + len(data) and start < one.start + one.bytes
    ]
    tokens = {v.name: segmentation(v.tokenizer, data) for v in vocabularies}
    return Sample(category, data, not _is_text(data), tokens, tuple(named), start)


def segmentation(tokenizer: Tokenizer, data: bytes) -> Segmentation:
    """Returns the tokens of ``data`` and where they begin."""
    try:
        ids, starts = encode_with_starts(tokenizer, data)
        if (np.diff(starts) == 0).any():  # a token of no byte could be neither seen nor chosen
            raise ConfigError("a token holds no byte of the text", "show the normal form")
    except ConfigError:  # normalisation moves bytes
        found = tokenizer.encode(data).tolist()
        parts = [tokenizer.table.tokens[token_id] for token_id in found]
        return Segmentation(found, list(accumulate(map(len, parts), initial=0))[:-1], b"".join(parts))
    return Segmentation(ids.tolist(), starts.tolist())


def _passage(document: bytes) -> bytes:
    """Cuts at the last line break or space before the limit, never inside a character."""
    cut = document[:SAMPLE_BYTES]
    if len(document) <= SAMPLE_BYTES or not _is_text(cut[:-3]):
        return cut
    at = max(cut.rfind(b"\n"), cut.rfind(b" "))
    if at > SAMPLE_BYTES // 2:
        return cut[:at]
    return cut.decode("utf-8", "ignore").encode()


def _is_text(data: bytes) -> bool:
    for missing in range(4):  # the cut may stand inside a character
        try:
            return "\x00" not in data[: len(data) - missing].decode()
        except UnicodeDecodeError:
            continue
    return False
