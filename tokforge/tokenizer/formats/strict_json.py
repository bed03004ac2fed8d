"""JSON from outside: parsed strictly, walked with a path, so that every fault names its place.

Refused: what is not UTF-8, duplicate keys (readers disagree on which one counts), NaN and infinities,
nesting that exhausts the stack. Memory is bounded by a small multiple of the file's size.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NoReturn

from tokforge.errors import FormatError

__all__ = ["Node", "parse_json"]

_HINT = "check that the file is complete and was not edited by hand"


class _Repeated(dict[str, Any]):
    """An object in which ``key`` stood twice; found again below to tell where."""

    key = ""


class Node:
    """A JSON value and its place, such as ``tokenizer.json: model.merges[3]``."""

    __slots__ = ("source", "trail", "value")

    def __init__(self, value: Any, source: str, trail: str = "") -> None:
        self.value, self.source, self.trail = value, source, trail

    @property
    def where(self) -> str:
        """The file and the path within it."""
        return f"{self.source}: {self.trail}" if self.trail else self.source

    def error(self, problem: str, hint: str = _HINT) -> FormatError:
        """Returns the error that names this place."""
        return FormatError(problem, hint, self.where)

    def has(self, key: str) -> bool:
        """Tells whether the object holds ``key`` with a value other than null."""
        return self.object().get(key) is not None

    def child(self, key: str) -> "Node":
        """Returns the value of ``key``, null where it is absent."""
        return Node(self.object().get(key), self.source, self.trail + _step(key, first=not self.trail))

    def need(self, key: str) -> "Node":
        """Returns the value of ``key``, which must be there."""
        if key not in self.object():
            raise self.error(f"the field {key!r} is missing")
        return self.child(key)

    def items(self) -> Iterator["Node"]:
        """Yields the elements of the array."""
        for number, value in enumerate(self.array()):
            yield Node(value, self.source, f"{self.trail}[{number}]")

    def object(self) -> dict[str, Any]:
        """Returns the value, which must be an object."""
        if not isinstance(self.value, dict):
            raise self._expected("an object")
        return self.value

    def array(self) -> list[Any]:
        """Returns the value, which must be an array."""
        if not isinstance(self.value, list):
            raise self._expected("an array")
        return self.value

    def string(self) -> str:
        """Returns the value, which must be a string."""
        if not isinstance(self.value, str):
            raise self._expected("a string")
        return self.value

    def boolean(self, default: bool | None = None) -> bool:
        """Returns the value, which must be true or false; ``default`` where it is null."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, bool):
            raise self._expected("true or false")
        return self.value

    def id(self) -> int:
        """Returns a token id: an integer, not negative, below 2^32."""
        if type(self.value) is not int or not 0 <= self.value < 2**32:
            raise self._expected("a token id (an integer from 0 to 4294967295)")
        return self.value

    def text(self) -> str:
        """Returns the value as JSON text, key order kept: how a part is carried through verbatim."""
        try:
            text = json.dumps(self.value, ensure_ascii=False)
            text.encode()
        except UnicodeEncodeError as error:
            raise self.error("it holds a lone surrogate, which no UTF-8 file can") from error
        return text

    def _expected(self, what: str) -> FormatError:
        return self.error(f"expected {what}, found {_shown(self.value)}")


def parse_json(data: bytes, source: str, parse_float: Callable[[str], float] = float) -> Node:
    """Parses ``data``; raises FormatError with ``source`` and the place of the fault."""
    from tokforge import _core

    repeated: list[_Repeated] = []
    try:
        text = data.decode()
        value = json.loads(
            text,
            object_pairs_hook=None if _core.keys_differ(text) else partial(_object, repeated=repeated),
            parse_constant=_refuse_constant,
            parse_float=parse_float,
        )
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", _HINT, source) from error
    except RecursionError as error:
        raise FormatError("the JSON is nested too deeply", _HINT, source) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FormatError(f"not valid JSON at {place}: {error.msg}", _HINT, source) from error
    except ValueError as error:  # a number of thousands of digits, NaN
        raise FormatError(f"not valid JSON: {error}", _HINT, source) from error
    root = Node(value, source)
    if repeated:
        _refuse_repeated(root)
    return root


def _object(pairs: list[tuple[str, Any]], repeated: list[_Repeated]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Repeated(found)
    twice.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    repeated.append(twice)
    return twice


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_repeated(root: Node) -> None:
    """Finds where a key stands twice. Walks with a list, not by calls: the depth is the file's to choose."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, _Repeated):
            raise node.error(
                f"the key {_shown(node.value.key)} stands twice in one object", "keep one of the two"
            )
        if isinstance(node.value, dict):
            waiting += [node.child(key) for key in node.value]
        elif isinstance(node.value, list):
            waiting += node.items()


def _step(key: str, *, first: bool) -> str:
    """Spells one step of a place: ``.merges``, or ``["Ġthe"]`` for a key that is no name."""
    if key.isidentifier() and len(key) <= 60:
        return key if first else f".{key}"
    return f'["{key}"]' if key.isprintable() and len(key) <= 60 else f"[{_shown(key)}]"


def _shown(value: Any) -> str:
    """Quotes a value, cut short: a message must fit a line whatever the file holds."""
    if isinstance(value, list | bytes):  # bytes: an array's text, left to the engine
        return "an array"
    if not isinstance(value, str | int | float | None):  # a dict, or the engine's `Keys`
        return "an object"
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
