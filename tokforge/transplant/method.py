"""What a method is: a name, its source, its options, and a function from a `Task` to new rows.

A method sees one matrix at a time and is told which: ``input``, ``output``, or ``tied`` (both at once); a
bias
follows the output's rule. What both matrices need (similarities, a donor, counts of a text) is made
once and kept in `Resources`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, UnknownNameError
from tokforge.transplant.alignment import Alignment
from tokforge.transplant.mix import Matrix, Mix

__all__ = ["Dense", "Method", "Recipe", "Resources", "Side", "Task", "from_pieces", "spelled"]

Floats = npt.NDArray[np.float32]
Side: TypeAlias = Literal["input", "output", "tied"]
Progress: TypeAlias = Callable[[str, int, int], object]
Option: TypeAlias = int | float | str


class Recipe(Protocol):
    """Makes the composed rows, block by block."""

    def __len__(self) -> int: ...

    def rows(self, matrix: Matrix, begin: int = 0, end: int | None = None) -> Floats:
        """Returns rows ``begin`` to ``end``, (rows, width) float32."""


@dataclass(frozen=True)
class Dense:
    """Rows that are no mix: ``make(begin, end)`` gives them; ``base`` says what they are made from, if it
    is a mix.
    """

    size: int
    make: Callable[[int, int], Floats]
    base: Mix | None = None
    bias: "Dense | None" = None
    """The bias' numbers, where the method makes them itself."""

    def __len__(self) -> int:
        return self.size

    def rows(self, matrix: Matrix, begin: int = 0, end: int | None = None) -> Floats:
        """Returns rows ``begin`` to ``end``, (rows, width) float32."""
        return self.make(begin, self.size if end is None else end)


@dataclass
class Resources:
    """What the user gave beside the model and the tokenizer, and what methods keep between the two
    matrices.
    """

    model: str | None = None
    """Folder of the model itself, for methods that run it."""
    embedder: str | None = None
    """Folder of a sentence-transformers model; None takes the model's own rows."""
    donor: str | None = None
    """Folder of a model that has the new tokenizer."""
    hypernet: str | None = None
    """Folder of a trained hypernetwork."""
    text: tuple[str, ...] = ()
    """Files or folders of text."""
    text_field: str | None = None
    device: str = "cpu"
    seed: int = 0
    progress: Progress = lambda phase, done, total: None
    kept: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Returns what ``make`` gave the first time it was asked for under this name."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]


@dataclass(frozen=True)
class Task:
    """One matrix whose composed rows are wanted."""

    alignment: Alignment
    matrix: Matrix
    side: Side
    options: Mapping[str, Option]
    resources: Resources

    def pieces(self, new_id: int) -> tuple[int, ...]:
        """Returns the old ids that a composed token is cut into: at least one.

        Without any (a byte that the old vocabulary lacks), its bytes' nearest kin: old one-byte tokens
        of the same class; without those the mean row's id.
        """
        return self.alignment.pieces[new_id] or self._kin(new_id) or (self.matrix.shape[0],)

    def number(self, name: str) -> float:
        """Returns an option as a number."""
        return float(self.options[name])

    def _kin(self, new_id: int) -> tuple[int, ...]:
        key = self.alignment.new.keys[new_id] or b"\0"
        old = self.resources.once("one-byte tokens", lambda: _one_byte_tokens(self.alignment))
        return tuple(i for value, i in old if _class(value) == _class(key[-1])) or tuple(i for _, i in old)


def _one_byte_tokens(alignment: Alignment) -> list[tuple[int, int]]:
    return [(key[0], i) for i, key in enumerate(alignment.old.keys) if key is not None and len(key) == 1]


def _class(value: int) -> str:
    if value < 0x20 or value == 0x7F:
        return "control"
    return "ascii" if value < 0x80 else "continuation" if value < 0xC0 else "lead"


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to make the rows of new tokens."""

    name: str
    summary: str
    source: str
    compose: Callable[[Task], Recipe]
    options: Mapping[str, Option] = field(default_factory=dict)
    """Option -> default."""
    needs: tuple[str, ...] = ()
    """Of ``donor``, ``hypernet``, ``text``: what cannot be left out."""
    compares: bool = False
    """Whether it compares tokens by an embedder, which its label then names."""

    def checked(self, given: Mapping[str, str]) -> dict[str, Option]:
        """Returns all options; raises UnknownNameError or ConfigError for a wrong name or value."""
        for name in given:
            if name not in self.options:
                known = ", ".join(sorted(self.options)) or "it has none"
                raise UnknownNameError(f"{self.name} has no option {name!r}", f"use one of: {known}", "--set")
        return {name: _typed(name, given.get(name), default) for name, default in self.options.items()}


def _typed(name: str, text: str | None, default: Option) -> Option:
    if text is None:
        return default
    try:
        value = type(default)(text)
    except ValueError:
        raise ConfigError(
            f"{name} is {text!r}", f"give a {type(default).__name__}, as {default}", "--set"
        ) from None
    if isinstance(value, float) and not np.isfinite(value):
        raise ConfigError(f"{name} is {text!r}", "give a finite number", "--set")
    return value


def from_pieces(task: Task, weigh: Callable[[tuple[int, ...]], npt.ArrayLike]) -> Mix:
    """Returns the mix of each composed token's pieces, weighed by ``weigh(pieces)``; weights are made to
    sum to 1.
    """
    rows = []
    for new_id in task.alignment.composed.tolist():
        pieces = task.pieces(new_id)
        weights = np.asarray(weigh(pieces), np.float64)
        rows.append((pieces, (weights / weights.sum()).tolist()))
    return Mix.of(rows)


def spelled(task: Task, old_id: int) -> bytes:
    """Returns the bytes of an old token, for its length; one byte for what has none."""
    keys = task.alignment.old.keys
    return (keys[old_id] if old_id < len(keys) else None) or b"?"
