"""What every reader takes and gives: a file with its neighbours in, a definition and notes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tokforge.errors import ConfigError, FormatError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.model import AddedToken, Definition
from tokforge.tokenizer.pretokenizers import parse_pretokenizer

__all__ = [
    "NOTHING_MORE",
    "ReadOptions",
    "Reading",
    "SourceFile",
    "placed",
    "special_tokens",
    "splitter_stages",
]


class ReadOptions(NamedTuple):
    """What the user adds where a file says too little."""

    pretokenizer: str | None = None
    special_tokens: tuple[str, ...] = ()
    """``TEXT`` or ``TEXT=ID``."""


NOTHING_MORE = ReadOptions()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of one file, where it stands, and a way to the files beside it (None where there is none)."""

    name: str
    where: str
    data: bytes
    neighbour: Callable[[str], bytes | None] = lambda name: None
    options: ReadOptions = NOTHING_MORE


class Reading(NamedTuple):
    """What was read, and what was assumed or left behind in reading it, one sentence each."""

    definition: Definition
    notes: tuple[str, ...] = ()


def splitter_stages(file: SourceFile, known: str | None) -> tuple[str, ...]:
    """Returns the splitter that the user names, else the ``known`` one; raises ConfigError without either."""
    name = file.options.pretokenizer or known
    if name is None:
        raise ConfigError(
            "the file does not say how text is split, and its ranks are none that tokforge knows",
            "add --pretokenizer NAME (pretokenizer= in Python); `tokforge convert` keeps it in the result",
            file.where,
        )
    return parse_pretokenizer(name)


def special_tokens(options: ReadOptions, next_id: int) -> list[AddedToken]:
    """Returns the user's special tokens; one without an id takes the next after ``next_id`` and its like."""
    found = []
    for entry in options.special_tokens:
        text, separator, number = entry.rpartition("=")
        if not (separator and text and number.isascii() and number.isdecimal() and len(number) < 11):
            text, number = entry, str(next_id)
        if int(number) >= 2**32:
            raise ConfigError(f"{quoted(entry)} has an id above 4294967295", "use a smaller one", "special")
        found.append(AddedToken(int(number), text))
        next_id = max(next_id, int(number) + 1)
    return found


def placed(error: TokforgeError, where: str) -> FormatError:
    """Returns ``error`` as a fault of the file ``where``."""
    own = str(error.where or "")
    place = own if own.startswith(where) else f"{where}: {own}" if own else where
    return FormatError(error.problem, error.hint, place)
