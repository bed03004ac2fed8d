"""Every error that tokforge raises for a reason the caller can act on.

::

    TokforgeError             code             raised when
    ├── ConfigError           config           an option is out of range or contradicts another
    │   └── UnknownNameError  unknown_name     an option names nothing that exists
    ├── InputError            input            a file, folder or stream cannot be read or is malformed
    ├── FormatError           format           a tokenizer file is malformed or contradicts itself
    ├── PatternError          pattern          a regex is invalid or exceeded its step budget
    ├── TokenIdError          token_id         an id names no token of this tokenizer
    ├── CorpusExhaustedError  corpus_exhausted no pair is left before an exact size is reached
    ├── ExportError           export           a format cannot express this tokenizer exactly
    ├── OutputError           output           a result cannot be written, or already exists
    ├── IntegrityError        integrity        a fetched file is not the one that its manifest names
    └── MissingExtraError     missing_extra    a capability's optional packages are not installed

The engine raises the same classes. An interruption is always ``KeyboardInterrupt``.
"""

from collections.abc import Mapping
from typing import ClassVar, TypeVar

__all__ = [
    "ConfigError",
    "CorpusExhaustedError",
    "ExportError",
    "FormatError",
    "InputError",
    "IntegrityError",
    "MissingExtraError",
    "OutputError",
    "PatternError",
    "TokenIdError",
    "TokforgeError",
    "UnknownNameError",
    "located",
    "pick",
]

T = TypeVar("T")


class TokforgeError(Exception):
    """Base of every error a caller can act on: a problem, the way out, and where it happened."""

    code: ClassVar[str] = "error"

    def __init__(self, problem: str, hint: str, where: str | None = None) -> None:
        super().__init__(problem, hint, where)  # all in args, so the error survives pickling to a worker
        self.problem, self.hint, self.where = problem, hint, where

    def __str__(self) -> str:
        return f"{located(self.problem, self.where)}; {self.hint}"

    def as_dict(self) -> dict[str, str | None]:
        """Returns the fields of the command line's JSON error object."""
        return {"code": self.code, "message": self.problem, "where": self.where, "hint": self.hint}


class ConfigError(TokforgeError):
    """An option is out of range or contradicts another."""

    code = "config"


class UnknownNameError(ConfigError):
    """An option names nothing that exists."""

    code = "unknown_name"


class InputError(TokforgeError):
    """A file, folder or stream cannot be read or is malformed."""

    code = "input"


class FormatError(TokforgeError):
    """A tokenizer file is malformed or contradicts itself."""

    code = "format"


class PatternError(TokforgeError):
    """A regex is invalid or exceeded its step budget."""

    code = "pattern"


class TokenIdError(TokforgeError):
    """An id names no token of this tokenizer."""

    code = "token_id"


class CorpusExhaustedError(TokforgeError):
    """No pair is left to merge before an exact vocabulary size is reached."""

    code = "corpus_exhausted"


class ExportError(TokforgeError):
    """A format cannot express this tokenizer exactly."""

    code = "export"


class OutputError(TokforgeError):
    """A result cannot be written, or would destroy an existing one."""

    code = "output"


class IntegrityError(TokforgeError):
    """A fetched file is not the one that its manifest names."""

    code = "integrity"


class MissingExtraError(TokforgeError):
    """A capability's optional packages are not installed."""

    code = "missing_extra"


def located(problem: str, where: str | None) -> str:
    """Returns ``problem`` with its place before it, once: "largest is 3" names the option largest itself."""
    return problem if not where or problem.startswith(f"{where} ") else f"{where}: {problem}"


def pick(option: str, name: str, table: Mapping[str, T]) -> T:
    """Returns ``table[name]``, or says which names there are."""
    if not isinstance(name, str) or name not in table:
        raise UnknownNameError(f"{option} has no {name!r}", f"use one of: {', '.join(sorted(table))}")
    return table[name]
