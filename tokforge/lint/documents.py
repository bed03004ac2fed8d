"""JSON as the field writes it, read without judging: duplicate keys and wrong types are for rules to find.

Only what no reader takes is refused: bytes that are not UTF-8, text that is not JSON.
Linear in the file; a place is a JSON pointer (RFC 6901).
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError

__all__ = ["Document", "Place", "escape", "parse_document", "step"]

_HINT = "check that the file is complete and was not edited by hand"


@dataclass(frozen=True, slots=True)
class Place:
    """A value's place: a file and a JSON pointer into it."""

    file: str
    pointer: str = ""

    def at(self, *steps: str | int) -> "Place":
        """Returns the place further in."""
        return Place(self.file, self.pointer + "".join(f"/{escape(str(one))}" for one in steps))


class _Twice(dict[str, Any]):
    """An object in which ``keys`` stood more than once; the last value counts, as in most readers."""

    keys_twice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed JSON file. ``fault`` says why a companion could not be parsed; its value is then None."""

    file: str
    value: Any
    repeats: bool = False
    fault: str | None = None

    @property
    def place(self) -> Place:
        """The place of the whole document."""
        return Place(self.file)

    def repeated(self) -> Iterator[tuple[Place, str]]:
        """Yields (object, key) wherever a key stands more than once. Costs nothing where none does."""
        waiting = [(self.place, self.value)] if self.repeats else []
        while waiting:
            place, value = waiting.pop()
            if isinstance(value, _Twice):
                yield from ((place, key) for key in value.keys_twice)
            if isinstance(value, dict):
                waiting += [(place.at(key), inner) for key, inner in value.items()]
            elif isinstance(value, list):
                waiting += [
                    (place.at(i), inner) for i, inner in enumerate(value) if isinstance(inner, dict | list)
                ]


def parse_document(data: bytes, path: Path) -> Document:
    """Parses ``data``; raises FormatError if it is not JSON."""
    twice: list[_Twice] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        marked = _Twice(found)
        marked.keys_twice = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        twice.append(marked)
        return marked

    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=collect)
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", _HINT, str(path)) from error
    except RecursionError as error:
        raise FormatError("the JSON is nested too deeply", _HINT, str(path)) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FormatError(f"not valid JSON at {place}: {error.msg}", _HINT, str(path)) from error
    except ValueError as error:  # a number of thousands of digits
        raise FormatError(f"not valid JSON: {error}", _HINT, str(path)) from error
    return Document(path.name, value, bool(twice))


def escape(key: str) -> str:
    """Spells a key as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def step(value: Any, *steps: str | int) -> Any:
    """Returns the value behind ``steps``, None as soon as something is not there or has another shape."""
    for one in steps:
        if isinstance(value, dict) and isinstance(one, str):
            value = value.get(one)
        elif isinstance(value, list) and isinstance(one, int) and 0 <= one < len(value):
            value = value[one]
        else:
            return None
    return value
