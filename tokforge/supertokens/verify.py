"""Holds an export to text that was not trained on: Hugging Face must give the same ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tokforge.errors import InputError
from tokforge.inputs import documents, open_sources
from tokforge.inputs.units import unit_spans
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.formats.proof import prove_texts

__all__ = ["Verified", "verify_files"]

_PART_BYTES = 1 << 14
"""Longest text given to Hugging Face at once: its time grows faster than a long pretoken."""


class Verified(NamedTuple):
    """What ids were compared on, and found equal."""

    files: tuple[str, ...]
    bytes: int
    tokens: int


def verify_files(tokenizer: Tokenizer, paths: Sequence[str | Path]) -> Verified:
    """Compares ids on all of ``paths``, cut at line breaks into parts of 16 KiB.

    Raises ExportError with the first difference, InputError for a file that is no UTF-8.
    """
    texts = []
    for document in documents(open_sources(paths)):
        for start, end in unit_spans(document.data, _PART_BYTES):
            try:
                texts.append(bytes(document.data[start:end]).decode())
            except UnicodeDecodeError as error:
                raise InputError(
                    "is not UTF-8, which Hugging Face asks for", "name text", document.path
                ) from error
    tokens = prove_texts(tokenizer, texts)
    return Verified(tuple(map(str, paths)), sum(len(text.encode()) for text in texts), tokens)
