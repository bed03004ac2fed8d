"""L09: Some of the 256 byte tokens are missing.

What it finds:
A byte-level vocabulary (tokenizer.json, vocab.json, ranks, tekken, a GGUF of kind gpt2) without a token for
each byte. In tekken.json the first 256 ranks must also be the bytes 0 to 255 in order.

Why it matters:
Hugging Face drops a byte without a token from the text, in silence. tiktoken panics when it meets one
(openai/tiktoken#568). mistral-common relies on the order of the first 256.

How to fix:
Add the missing byte tokens before training; trainers call them the initial alphabet.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding with the count and the first byte."""
    bpe = artefact.bpe
    if bpe and bpe.byte_level:
        present = {data[0] for token in bpe.vocab if len(token) == 1 and (data := bpe.data(token))}
        yield from _missing(present, bpe.vocab_place)
    elif artefact.ranks:
        present = {one.data[0] for one in artefact.ranks if len(one.data) == 1}
        yield from _missing(present, Place(artefact.file))
        if artefact.format == "tekken" and len(present) == 256:
            yield from _out_of_order(artefact)


def _missing(present: set[int], place: Place) -> Iterator[Finding]:
    missing = [value for value in range(256) if value not in present]
    if missing:
        yield RULE.finding(
            place,
            f"0x{missing[0]:02X}",
            f"{len(missing)} of the 256 bytes have no token, the first is 0x{missing[0]:02X}: "
            "Hugging Face drops them from the text, tiktoken panics",
            "add the byte tokens before training",
        )


def _out_of_order(artefact: Artefact) -> Iterator[Finding]:
    for value, one in enumerate(artefact.ranks[:256]):
        if one.data != bytes((value,)):
            yield RULE.finding(
                Place(artefact.file).at("vocab", one.number),
                one.data,
                f"rank {value} must be the byte 0x{value:02X}: mistral-common takes the first 256 as bytes",
                "put the 256 bytes first, in order",
            )
            return


RULE = Rule("L09", "missing-bytes", "error", check, __doc__)
