"""Decoders as data: how tokens become text again. Without any, their bytes are joined.

Each takes a list of token strings to another, in turn; the names and the effects are Hugging Face's.
A byte-level vocabulary needs none, since its tokens are bytes here.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokforge.tokenizer.normalizers import Replace

__all__ = [
    "BpeSuffix",
    "ByteFallback",
    "Decoder",
    "Fuse",
    "MetaspaceDecoder",
    "Replace",
    "Spaces",
    "StripTokens",
    "WordPieceDecoder",
]


@dataclass(frozen=True, slots=True)
class ByteFallback:
    """Joins runs of ``byte`` tokens to the text they spell."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """Joins all tokens to one."""


@dataclass(frozen=True, slots=True)
class Spaces:
    """Joins all tokens to one with spaces between: what Hugging Face does where no decoder is given."""


@dataclass(frozen=True, slots=True)
class MetaspaceDecoder:
    """Turns each ``replacement`` into a space, and drops the first token's unless ``never``."""

    replacement: str = "\u2581"
    prepend_scheme: Literal["always", "first", "never"] = "always"


@dataclass(frozen=True, slots=True)
class StripTokens:
    """Drops up to ``start`` times ``content`` at each token's beginning, and ``stop`` times at its end."""

    content: str = " "
    start: int = 0
    stop: int = 0


@dataclass(frozen=True, slots=True)
class WordPieceDecoder:
    """Puts a space before each token but the first and the continuing ones; ``cleanup`` drops the space
    before punctuation and English contractions."""

    prefix: str = "##"
    cleanup: bool = True


@dataclass(frozen=True, slots=True)
class BpeSuffix:
    """Turns ``suffix``, at each word's end, into a space, and the last one into nothing."""

    suffix: str = "</w>"


Decoder: TypeAlias = (
    ByteFallback | Fuse | Spaces | MetaspaceDecoder | StripTokens | Replace | WordPieceDecoder | BpeSuffix
)
