"""Options from Python callers: a wrong name or type is a ConfigError that says which, before any work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from tokforge.errors import ConfigError, UnknownNameError

__all__ = ["check_types", "from_options"]

T = TypeVar("T")
_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "True or False", type(None): "None"}


def from_options(kind: type[T], options: Mapping[str, Any]) -> T:
    """Returns ``kind(**options)``; raises UnknownNameError for an option that the dataclass lacks."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, 1)
            guess = f"did you mean {close[0]}? " if close else ""
            raise UnknownNameError(f"there is no option {name!r}", f"{guess}use one of: {', '.join(known)}")
    return kind(**options)


def check_types(config: Any) -> None:
    """Raises ConfigError if a field of a dataclass does not hold what its annotation says.

    Annotations: plain types, unions, ``tuple[X, ...]`` (any sequence but text), ``Mapping[str, X]``, and
    classes. An int is a float; a bool is no number.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        if not _fits(value, field.type):
            raise ConfigError(
                f"{field.name} is {value!r}, of type {type(value).__name__}", f"give {_wanted(field.type)}"
            )


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is tuple:
        return (
            isinstance(value, Sequence) and not isinstance(value, str | bytes) and _all_fit(value, inner[0])
        )
    if isinstance(origin, type) and issubclass(origin, Mapping):
        is_mapping = isinstance(value, Mapping)
        return is_mapping and _all_fit(value, inner[0]) and _all_fit(value.values(), inner[1])
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _all_fit(values: Iterable[Any], hint: Any) -> bool:
    return all(_fits(value, hint) for value in values)


def _wanted(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(_wanted, inner))
    if origin is tuple:
        return f"a tuple, each {_wanted(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping, each value {_wanted(inner[1])}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))
