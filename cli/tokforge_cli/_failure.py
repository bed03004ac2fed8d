"""Turns whatever ended a command into one line or one JSON object, and an exit code.

Exit codes: 0 done, 1 the answer is no, 2 bad input or usage, 130 interrupted.
"""

import errno
import json
import os
import sys
import traceback
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple

import typer

from tokforge.errors import TokforgeError, located

# The classes have moved between click and typer's own copy of it; their subclass has a public name in both.
CLICK_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
CLICK_EXCEPTION: Any = typer.BadParameter.__mro__[2]

INTERRUPTED = 130


class UsageProblem(TokforgeError):
    """A command line that names no work to do; only the command line raises it."""

    code: ClassVar[str] = "usage"


class Failure(NamedTuple):
    """What a user is told: where, what and the way out."""

    code: str
    message: str
    where: str | None = None
    hint: str | None = None

    def line(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return one_line(f"tokforge: {located(self.message, self.where)}{hint}")

    def as_json(self) -> str:
        return json.dumps({"error": self._asdict()}, ensure_ascii=True)


def one_line(text: str) -> str:
    """Escapes control characters: a file name may hold newlines, or codes that repaint the terminal."""
    return "".join(c if c.isprintable() or c == " " else ascii(c)[1:-1] for c in text)


def report(error: BaseException, *, as_json: bool) -> int:
    """Says on stderr what ended the command, and returns its exit code."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if not isinstance(error, KeyboardInterrupt):  # nobody waits then for a reader who may have stopped
        _settle_output()
    if isinstance(error, BrokenPipeError):
        return 0  # quietly, as ripgrep and ruff do: `tokforge inspect t | head` is no error of ours
    failure = describe(error)
    if failure.code == "internal" and os.environ.get("TOKFORGE_DEBUG") == "1":
        traceback.print_exception(error)
    print(failure.as_json() if as_json else failure.line(), file=sys.stderr)  # noqa: T201
    return INTERRUPTED if failure.code == "interrupted" else 2


def _settle_output() -> None:
    """Gives up what standard output does not take: else the flush at exit fails once more, and says so."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115


def describe(error: BaseException) -> Failure:
    """Returns the failure behind an exception of any kind."""
    if isinstance(error, TokforgeError):
        return Failure(**error.as_dict())  # type: ignore[arg-type]  # code and message are never None
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Failure("interrupted", "interrupted")
    if isinstance(error, CLICK_EXCEPTION):
        return _usage(error)
    if isinstance(error, MemoryError):
        return Failure("memory", "the machine has not enough memory for this", hint="use less input")
    if isinstance(error, OSError):
        return _system(error)
    problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure("internal", problem, hint="a bug: please report it with what TOKFORGE_DEBUG=1 prints")


def _system(error: OSError) -> Failure:
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("output", reason, place or "standard output", "free some space or write elsewhere")
    return Failure("system", reason, place, "check the path and its permissions")


def _usage(error: BaseException) -> Failure:
    """Rewords click's usage errors, which name neither the command nor the way out."""
    context = getattr(error, "ctx", None)
    place = where(context) if context else None
    see = f"see {context.command_path if context else 'tokforge'} --help"
    option, parameter = getattr(error, "option_name", None), getattr(error, "param", None)
    kind = type(error).__name__  # these classes have no public name at all
    if kind == "NoSuchOption" and context:
        return Failure("usage", f"there is no option {option}", place, _did_you_mean(option, context) or see)
    if kind == "MissingParameter" and parameter is not None:
        return Failure("usage", f"{_shown(parameter)} is missing", place, see)
    if parameter is not None:
        return Failure("usage", f"{_shown(parameter)}: {_value_problem(error)}", place, see)
    return Failure("usage", _lowered(str(getattr(error, "message", error))), place, see)


def _lowered(message: str) -> str:
    """Returns a sentence as the middle of a line."""
    message = " ".join(message.split()).rstrip(".")
    return message[:1].lower() + message[1:]


def _value_problem(error: BaseException) -> str:
    """Names the refused value: click's message has it, while pydantic's leaves it in the cause."""
    details = getattr(error.__cause__, "errors", None)
    if details is None:
        return _lowered(str(getattr(error, "message", error)))
    first = details()[0]
    problem = str(first["msg"]).split(", unable", 1)[0].replace("Input should", "should")
    return f"{str(first['input'])!r} {_lowered(problem)}"


def _shown(parameter: typer.CallbackParam) -> str:
    """The parameter as the help shows it: ``--vocab-size``, or ``INPUT``."""
    if parameter.param_type_name == "option":
        return max(parameter.opts, key=len)
    return str(parameter.metavar or parameter.name).upper()


def _did_you_mean(option: str | None, context: typer.Context) -> str | None:
    parameters = context.command.get_params(context)
    known = [name for one in parameters if one.param_type_name == "option" for name in one.opts]
    return did_you_mean(option or "", known)


def where(context: typer.Context) -> str | None:
    """The command as an error names it: ``corpora fetch``, or None for ``tokforge`` itself."""
    return context.command_path.partition(" ")[2] or None


def did_you_mean(name: str, known: list[str]) -> str | None:
    """Returns a hint that names what is closest to ``name``, or None if nothing is close."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else None
