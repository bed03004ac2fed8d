"""L16: A SentencePiece piece that holds NUL or is empty.

What it finds:
Pieces with a NUL byte, empty pieces, and pieces that are not UTF-8.

Why it matters:
sentencepiece 0.2.2 refuses such a model, which earlier versions loaded (google/sentencepiece#1308, from
merged Chinese LLaMA vocabularies); the C interface ends a piece at its NUL.

How to fix:
Spell the byte as the piece ``<0x00>`` of type BYTE, and remove the others.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each such piece."""
    for number, one in enumerate(artefact.pieces.pieces if artefact.pieces else ()):
        problem = _problem(one.data)
        if problem:
            place = Place(artefact.file).at("pieces", number)
            yield RULE.finding(place, one.data, problem, "remove the piece; a NUL byte is spelled <0x00>")


def _problem(data: bytes) -> str | None:
    if not data:
        return "the piece is empty"
    if b"\0" in data:
        return "the piece holds a NUL byte: sentencepiece 0.2.2 refuses the model"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "the piece is not UTF-8"
    return None


RULE = Rule("L16", "nul-piece", "error", check, __doc__)
