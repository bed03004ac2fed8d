"""Pre-tokenizer stages as data: how text is split into pretokens. The engine carries them out.

A stage is the name of a hand-written splitter or ``regex:PATTERN`` (`pretokenizers`), which keep every
byte, or one of these, which may drop white space or rewrite text. The names and the effects are
Hugging Face's. Stages apply in turn, each to the pieces of the one before.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokforge.errors import ConfigError, pick

__all__ = [
    "BEHAVIORS",
    "AddPrefixSpace",
    "Behavior",
    "BertPreTokenizer",
    "Digits",
    "Metaspace",
    "Punctuation",
    "Split",
    "Stage",
    "Whitespace",
    "WhitespaceSplit",
]

Behavior = Literal["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]
BEHAVIORS: tuple[Behavior, ...] = (
    "isolated",
    "removed",
    "merged_with_previous",
    "merged_with_next",
    "contiguous",
)
"""What becomes of a delimiter: a piece of its own, nothing, part of the piece before or after it, or a
piece together with the delimiters beside it."""


@dataclass(frozen=True, slots=True)
class Split:
    """Cuts at the matches of ``pattern``, a literal or (``regex``) a regex; ``invert`` cuts at the gaps.

    An isolated regex, kept as it is, is the stage ``regex:PATTERN`` instead.
    """

    pattern: str
    behavior: Behavior = "isolated"
    invert: bool = False
    regex: bool = True

    def __post_init__(self) -> None:
        pick("the behaviour", self.behavior, dict.fromkeys(BEHAVIORS))
        if not self.pattern:
            raise ConfigError("the pattern to split at is empty", "give it a text")


@dataclass(frozen=True, slots=True)
class Metaspace:
    """Spells each space as ``replacement``, puts one in front, and (``split``) cuts before each.

    ``prepend_scheme``: to every piece that does not begin with it (``always``), to the one at the
    beginning of the text (``first``), or not at all (``never``).
    """

    replacement: str = "\u2581"
    prepend_scheme: Literal["always", "first", "never"] = "always"
    split: bool = True

    def __post_init__(self) -> None:
        pick("the prepend scheme", self.prepend_scheme, dict.fromkeys(("always", "first", "never")))
        if len(self.replacement) != 1:
            raise ConfigError("Metaspace replaces a space by one character", "give one character")


@dataclass(frozen=True, slots=True)
class AddPrefixSpace:
    """Puts a space before a piece that does not begin with one: ByteLevel's ``add_prefix_space``."""


@dataclass(frozen=True, slots=True)
class BertPreTokenizer:
    """Drops white space and isolates each punctuation mark."""


@dataclass(frozen=True, slots=True)
class Whitespace:
    r"""Takes the matches of ``\w+|[^\w\s]+``."""


@dataclass(frozen=True, slots=True)
class WhitespaceSplit:
    """Cuts at white space, which is dropped."""


@dataclass(frozen=True, slots=True)
class Punctuation:
    """Cuts at punctuation, ASCII's and Unicode's."""

    behavior: Behavior = "isolated"

    def __post_init__(self) -> None:
        pick("the behaviour", self.behavior, dict.fromkeys(BEHAVIORS))


@dataclass(frozen=True, slots=True)
class Digits:
    """Cuts runs of numeric characters from the rest, or each one (``individual_digits``)."""

    individual_digits: bool = False


Stage: TypeAlias = (
    str
    | Split
    | Metaspace
    | AddPrefixSpace
    | BertPreTokenizer
    | Whitespace
    | WhitespaceSplit
    | Punctuation
    | Digits
)
