r"""L17: Splits that depend on the Unicode version.

What it finds:
Patterns that cut text otherwise once a character is known to Unicode. Found by probing: each kind of
character that versions 15.0 to 17.0 added is stood for by an old one of its category, and compared with a
code point that no version has, in several neighbourhoods.

Why it matters:
``\p{L}`` is whatever the engine's tables say: Hugging Face up to 0.21.1 has Unicode 14, from 0.21.2 Unicode
16; Rust's regex is at 16, ICU at 17 (gigatoken#37, #43). Text with newer characters then gets other ids.
Nearly every real pattern is concerned, so this is a note: no reason to change a pattern, but the first
thing to name when two libraries disagree.

How to fix:
Record the Unicode version beside the tokenizer (tokforge's provenance does), or write classes as ranges.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tokforge.errors import TokforgeError
from tokforge.lint.artefact import Artefact
from tokforge.lint.pipeline import steps
from tokforge.lint.readers import regex_sequence
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule
from tokforge.lint.unicode_ages import ADDED, REPRESENTATIVES

if TYPE_CHECKING:
    from tokforge._core import Splitter

__all__ = ["RULE", "check"]

_UNASSIGNED = "\u0378"
_AROUND = ("a{}b", " {}", "1{}2", ".{}!", "{}\n", "A{}", "{}{}", " {} ")


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding for all patterns together."""
    document = artefact.tokenizer
    regexes = regex_sequence(document) if document else ()
    kinds = _dependent(regexes) if regexes else []
    if document and kinds:
        shown = ", ".join(
            f"{sum(ADDED[version].get(kind, 0) for kind in kinds):,} characters added in {version}"
            for version in ADDED
        )
        place = steps(document, "pre_tokenizer")[0].place
        yield RULE.finding(
            place,
            " ".join(kinds),
            f"engines with other Unicode tables cut these otherwise: {shown}",
            "name the Unicode version where ids must agree",
        )


def _dependent(regexes: tuple[str, ...]) -> list[str]:
    """Returns the categories whose new characters are split unlike an unknown one."""
    from tokforge import _core

    try:
        splitter = _core.Splitter([f"regex:{regex}" for regex in regexes])
    except TokforgeError:
        return []
    unknown = _UNASSIGNED.encode()
    found = []
    for kind, char in REPRESENTATIVES.items():
        known = char.encode()
        if any(
            _pieces(splitter, around, known, b"?") != _pieces(splitter, around, unknown, b"?")
            for around in _AROUND
        ):
            found.append(kind)
    return found


def _pieces(splitter: "Splitter", around: str, char: bytes, mark: bytes) -> list[bytes]:
    """Returns the pieces with ``char`` written as ``mark``: its length must not count."""
    data = around.encode().replace(b"{}", char)
    return [data[start:end].replace(char, mark) for start, end in splitter.split(data)]


RULE = Rule("L17", "unicode-version", "note", check, __doc__)
