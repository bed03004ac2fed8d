"""Normalisers as data: what happens to text before it is split. `normalizing` carries them out.

Each is one step; a pipeline applies its steps in turn to every stretch of text between added tokens.
The names and the effects are Hugging Face's, except `SentencePiece`, which is that library's own
normaliser as one step. A Unicode form is its name alone: ``"NFC"``.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tokforge.errors import ConfigError, pick

__all__ = [
    "FORMS",
    "Bert",
    "Form",
    "Lowercase",
    "Nmt",
    "Normalizer",
    "Precompiled",
    "Prepend",
    "Replace",
    "SentencePiece",
    "Strip",
    "StripAccents",
    "check_normalizer",
]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")


@dataclass(frozen=True, slots=True)
class Prepend:
    """Puts ``text`` in front, unless there is nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Replaces every match of ``pattern``, a literal or (``regex``) a regex, by the literal ``content``."""

    pattern: str
    content: str
    regex: bool = False

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ConfigError("the pattern to replace is empty", "give it a text")


@dataclass(frozen=True, slots=True)
class Strip:
    """Drops white space at the beginning, the end, or both."""

    left: bool = True
    right: bool = True


@dataclass(frozen=True, slots=True)
class Lowercase:
    """Lower-cases each character on its own: no final sigma."""


@dataclass(frozen=True, slots=True)
class StripAccents:
    """Drops combining marks."""


@dataclass(frozen=True, slots=True)
class Nmt:
    """Drops control characters and turns kinds of space into a space, as in sentencepiece's nmt rules."""


@dataclass(frozen=True, slots=True)
class Bert:
    """BERT's: cleans, puts spaces around Chinese characters, drops accents, lower-cases.

    ``strip_accents`` None does as ``lowercase``.
    """

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True


@dataclass(frozen=True, slots=True)
class Precompiled:
    """A charsmap of sentencepiece as Hugging Face applies it, grapheme by grapheme.

    ``charsmap``: u32 size of the trie in bytes, the trie (a double array of darts-clone, u32 each), and
    the replacements, each ended by NUL; all little-endian.
    """

    charsmap: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentencePiece:
    """sentencepiece's whole normaliser as one step, charsmap (empty: none) and white space.

    The longest match of the charsmap is replaced at each place. Then, where the flags say so: spaces at
    the ends are dropped and runs of them become one (``remove_extra_whitespaces``), a space is put in
    front (``add_dummy_prefix``; behind, with ``treat_whitespace_as_suffix``), each space becomes U+2581
    (``escape_whitespaces``). ``user_defined`` texts are left as they are.
    """

    charsmap: bytes = field(default=b"", repr=False)
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    treat_whitespace_as_suffix: bool = False
    user_defined: tuple[str, ...] = ()


Normalizer: TypeAlias = (
    Form | Prepend | Replace | Strip | Lowercase | StripAccents | Nmt | Bert | Precompiled | SentencePiece
)


def check_normalizer(step: Normalizer) -> None:
    """Raises UnknownNameError for a string that is no Unicode form."""
    if isinstance(step, str):
        pick("the normaliser", step, dict.fromkeys(FORMS))
