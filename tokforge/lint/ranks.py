"""Files of ranked byte strings: tiktoken's ``base64 rank`` lines and the entries of tekken.json."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from tokforge.errors import FormatError
from tokforge.lint.documents import Document, Place, step

__all__ = ["Rank", "is_tekken", "parse_tiktoken", "tekken_ranks"]


@dataclass(frozen=True, slots=True)
class Rank:
    """One entry; ``number`` is its line (from 1) or its index in the array (from 0)."""

    data: bytes
    rank: int
    number: int


def parse_tiktoken(data: bytes, source: str) -> tuple[Rank, ...]:
    """Parses ranks; raises FormatError with the line that is no ``base64 rank``."""
    return tuple(
        _line(line.split(), number, source)
        for number, line in enumerate(data.splitlines(), 1)
        if line.strip()
    )


def _line(words: list[bytes], number: int, source: str) -> Rank:
    try:
        token, rank = words
        if not rank.isdigit():
            raise ValueError("the rank is no number")
        return Rank(base64.b64decode(token, validate=True), int(rank), number)
    except (ValueError, binascii.Error) as error:
        raise FormatError(
            "this is no line of tiktoken ranks",
            "a line is a token in base64, a space and a rank",
            f"{source}: line {number}",
        ) from error


def is_tekken(value: Any) -> bool:
    """Tells whether a JSON value has the shape of tekken.json."""
    return isinstance(step(value, "vocab"), list) and isinstance(step(value, "config"), dict)


def tekken_ranks(document: Document) -> tuple[list[Rank], list[tuple[Place, str]]]:
    """Returns the entries of tekken.json that can be read, and (place, problem) of the others."""
    ranks, faults = [], []
    for number, entry in enumerate(step(document.value, "vocab") or []):
        place = document.place.at("vocab", number)
        rank, token = step(entry, "rank"), step(entry, "token_bytes")
        try:
            if type(rank) is not int or not isinstance(token, str):
                raise ValueError("an entry is an object with a whole 'rank' and a base64 'token_bytes'")
            ranks.append(Rank(base64.b64decode(token, validate=True), rank, number))
        except (ValueError, binascii.Error) as error:
            faults.append((place, str(error)))
    return ranks, faults
