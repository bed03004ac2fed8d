"""A whole `Definition` as JSON: the form in which a tokenizer is saved that Hugging Face cannot express.

Every dataclass is an object with its class's name under ``type`` and one key a field; bytes are base64,
tokens are spelled in the GPT-2 byte alphabet, and kinds stand as runs. Reading is driven by the classes'
own type hints: an unknown key, an unknown class or a value of another type ends in a FormatError with its
place, so nothing is read that was not written so. Nothing is looked up by name outside `_CLASSES`.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import groupby
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tokforge.errors import TokforgeError
from tokforge.tokenizer import decoders, normalizers, stages
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Kind,
    MergeList,
    Pipeline,
    TokenTable,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
)

__all__ = ["read_json", "to_json"]

_STEPS = [
    value
    for module in (decoders, normalizers, stages)
    for value in (getattr(module, name) for name in module.__all__)
    if isinstance(value, type) and is_dataclass(value)
]
_CLASSES: dict[str, type] = {
    one.__name__: one
    for one in (AddedToken, BpeModel, UnigramModel, WordPieceModel, WordLevelModel, Pipeline, *_STEPS)
}


def to_json(definition: Definition) -> dict[str, Any]:
    """Returns the definition as JSON values."""
    table = definition.table
    return {
        "tokens": [spell(token) for token in table.tokens],
        "kinds": [[kind, len(list(run))] for kind, run in groupby(table.kinds)],
        "model": _plain(definition.model),
        "pipeline": _plain(definition.pipeline),
        "added_tokens": [_plain(token) for token in definition.added_tokens],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, tuple | MergeList):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {
            one.name: _plain(getattr(value, one.name)) for one in fields(value)
        }
    return value


def read_json(node: Node) -> Definition:
    """Reads what `to_json` gave; raises FormatError with the place of the fault."""
    _refuse_unknown(node, ("tokens", "kinds", "model", "pipeline", "added_tokens"))
    tokens = tuple(_token(item) for item in node.need("tokens").items())
    kinds = _kinds(node.need("kinds"), len(tokens))
    parts = {name: _object(node.need(name), bases) for name, bases in _PARTS.items()}
    added = tuple(_object(item, (AddedToken,)) for item in node.need("added_tokens").items())
    try:
        return Definition(TokenTable(tokens, kinds), parts["model"], parts["pipeline"], added)
    except TokforgeError as error:
        raise node.error(
            f"{error.where}: {error.problem}" if error.where else error.problem, error.hint
        ) from error


_PARTS: dict[str, tuple[type, ...]] = {
    "model": (BpeModel, UnigramModel, WordPieceModel, WordLevelModel),
    "pipeline": (Pipeline,),
}


def _token(node: Node) -> bytes:
    token = unspell(node.string())
    if token is None:
        raise node.error(f"{quoted(node.value)} is not spelled in the GPT-2 byte alphabet")
    return token


def _kinds(node: Node, size: int) -> tuple[Kind, ...]:
    known = get_args(Kind)
    found: list[Kind] = []
    for run in node.items():
        match run.value:
            case [str(kind), int(count)] if (
                kind in known and type(count) is int and 0 < count <= size - len(found)
            ):
                found += [kind] * count  # type: ignore[list-item]  # it is one of the literals, as just tested
            case _:
                raise run.error(f"a run is a kind and a count; kinds: {', '.join(known)}; {size} in all")
    if len(found) != size:
        raise node.error(f"{len(found)} kinds for {size} tokens")
    return tuple(found)


def _object(node: Node, bases: Iterable[type]) -> Any:
    """Returns an instance of one of ``bases``, made from the object at ``node``."""
    names = {base.__name__: base for base in bases}
    name = node.need("type").string()
    if name not in names:
        raise node.child("type").error(
            f"there is no {quoted(name)} here", f"use one of: {', '.join(sorted(names))}"
        )
    hints = _hints(names[name])
    _refuse_unknown(node, ("type", *hints))
    values = {key: _value(node.need(key), hint) for key, hint in hints.items()}
    try:
        return names[name](**values)
    except TokforgeError as error:
        raise node.error(error.problem, error.hint) from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _value(node: Node, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is tuple:
        return _tuple(node, get_args(hint))
    if origin is Sequence:
        return _tuple(node, (*get_args(hint), ...))
    if origin is Literal:
        return _literal(node, get_args(hint))
    if origin in (Union, UnionType):
        return _union(node, get_args(hint))
    if is_dataclass(hint):
        return _object(node, (hint,))  # type: ignore[arg-type]  # a class, as hints are
    return _scalar(node, hint)


def _scalar(node: Node, hint: Any) -> Any:
    value = node.value
    if hint is bytes:
        return _bytes(node)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise node.error(f"expected {hint.__name__}, found {quoted(value)}")
    if hint is int and not -(2**63) <= value < 2**63:
        raise node.error(f"{quoted(value)} does not fit 64 bits")
    if hint is str and any("\ud800" <= char <= "\udfff" for char in value):
        raise node.error("it holds a lone surrogate, which no UTF-8 file can")
    return value


def _bytes(node: Node) -> bytes:
    try:
        return b64decode(node.string(), validate=True)
    except (Base64Error, ValueError) as error:
        raise node.error("it is no base64") from error


def _tuple(node: Node, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    """A merge list of 200,000 must not make a `Node` a number: rows of integers are checked in place."""
    if hints[-1] is Ellipsis:
        if hints[0] is int or get_args(hints[0]) == (int, int, int):
            return _integers(node, get_args(hints[0]))
        return tuple(_value(item, hints[0]) for item in node.items())
    items = list(node.items())
    if len(items) != len(hints):
        raise node.error(f"expected {len(hints)} values, found {len(items)}")
    return tuple(_value(item, hint) for item, hint in zip(items, hints, strict=True))


def _integers(node: Node, row: tuple[Any, ...]) -> tuple[Any, ...]:
    values = node.array()
    for number, value in enumerate(values):
        numbers = value if row and isinstance(value, list) and len(value) == len(row) else [value]
        if (row and numbers is not value) or not all(
            type(one) is int and 0 <= one < 2**32 for one in numbers
        ):
            raise node.error(f"entry {number} is {quoted(value)}", f"expected {len(row) or 1} ids")
    return tuple(map(tuple, values)) if row else tuple(values)


def _literal(node: Node, allowed: tuple[Any, ...]) -> Any:
    if node.value not in allowed:
        raise node.error(
            f"{quoted(node.value)} is unknown here", f"use one of: {', '.join(map(str, allowed))}"
        )
    return node.value


def _union(node: Node, hints: tuple[Any, ...]) -> Any:
    """None, text, a number or one of several classes: told apart by the JSON type alone."""
    classes = tuple(hint for hint in hints if is_dataclass(hint))
    if node.value is None and NoneType in hints:
        return None
    if isinstance(node.value, dict) and classes:
        return _object(node, classes)  # type: ignore[arg-type]  # classes, as just filtered
    rest = [hint for hint in hints if hint is not NoneType and hint not in classes]
    if len(rest) != 1:
        raise node.error(f"{quoted(node.value)} is unknown here")
    return _value(node, rest[0])


def _refuse_unknown(node: Node, known: Iterable[str]) -> None:
    for key in node.object():
        if key not in known:
            raise node.error(f"the key {quoted(key)} is unknown", f"known keys: {', '.join(known)}")
