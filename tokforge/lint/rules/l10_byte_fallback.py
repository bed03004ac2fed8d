"""L10: byte_fallback without its 256 byte pieces.

What it finds:
``byte_fallback`` in a tokenizer.json or a SentencePiece model whose vocabulary lacks some of ``<0x00>`` to
``<0xFF>``, spelled with two upper-case hex digits. An ASCII byte whose character is a token itself never
needs its piece (Gemma has the tab as a token and no ``<0x09>``).

Why it matters:
A character that is not in the vocabulary falls apart into those pieces. Where one is missing, Hugging Face
gives the unknown token, and without one it drops the character in silence. gigatoken refuses such a file
(sglang#34533).

How to fix:
Add the pieces, or set ``byte_fallback`` to false and an ``unk_token``.
"""

from collections.abc import Iterable, Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.bpe import byte_of_piece
from tokforge.lint.documents import Place, step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding with the count and the first missing piece."""
    if artefact.tokenizer and step(artefact.tokenizer.value, "model", "byte_fallback") is True:
        place = artefact.tokenizer.place.at("model", "byte_fallback")
        yield from _missing(artefact.vocabulary, place)
    elif artefact.pieces and artefact.pieces.byte_fallback:
        names = [one.data.decode("utf-8", "replace") for one in artefact.pieces.pieces]
        yield from _missing(names, Place(artefact.file, "/trainer_spec/byte_fallback"))


def _missing(tokens: Iterable[str], place: Place) -> Iterator[Finding]:
    pieces, known = {byte_of_piece(token) for token in tokens}, set(tokens)
    missing = [
        value for value in range(256) if value not in pieces and not (value < 128 and chr(value) in known)
    ]
    if missing:
        yield RULE.finding(
            place,
            True,
            f"{len(missing)} of the 256 byte pieces are missing, the first is <0x{missing[0]:02X}>",
            "add the pieces, or set byte_fallback to false and an unk_token",
        )


RULE = Rule("L10", "byte-fallback-pieces", "error", check, __doc__)
