"""Options that many commands share, and the readers of their small spellings."""

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from tokforge.errors import ConfigError, InputError
from tokforge_cli._recipe import load

MOST_IDS = 1 << 24
"""Most ids in one range: no vocabulary is as large."""
RUN = "This run"
"""Title of the options that every command has."""

ANY_FORMAT = "Any format: a file, its folder, pkg:package/path, hf:owner/name, or binary-4k ... -64k."
# readable=False here and elsewhere: click must not look first, for the library says path, reason and way out.
Tokenizer = Annotated[
    Path,
    typer.Argument(
        metavar="TOKENIZER",
        help=ANY_FORMAT,
        readable=False,
    ),
]
Field = Annotated[
    str | None, typer.Option(metavar="NAME", help="Field of jsonl and parquet rows that is the document.")
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw the result: .png, .svg or .pdf.", rich_help_panel="Outputs"
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON object on stdout, errors as JSON on stderr.", rich_help_panel=RUN),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.", rich_help_panel=RUN)
]
Force = Annotated[bool, typer.Option("--force", help="Replace outputs that exist.", rich_help_panel=RUN)]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="RECIPE",
        help="A YAML file that sets any option; the command line wins.",
        is_eager=True,
        callback=load,
        rich_help_panel=RUN,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, metavar="T", help="Threads; every core if not set.", rich_help_panel=RUN
    ),
]

_UNITS = {"": 1, "B": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}B": size for unit, size in _UNITS.items() if unit not in ("", "B")}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def byte_count(option: str, text: str | None) -> int | None:
    """Reads ``10MB`` (decimal), ``2GiB`` (binary) or ``1000``."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    if not found or found[2].upper() not in _UNITS:
        raise ConfigError(f"{text!r} is not a number of bytes", "write it as 500000, 10MB or 2GiB", option)
    return int(Decimal(found[1]) * _UNITS[found[2].upper()])


def whole_numbers(option: str, texts: Iterable[str], *, ranges: bool = False) -> tuple[int, ...]:
    """Reads ``4096,8192``, repeated or not; with ``ranges`` also ``300-399``, both ends included."""
    words = [word.strip() for text in texts for word in text.split(",")]
    numbers: list[int] = []
    for word in words:
        found = re.fullmatch(r"(\d+)(?:-(\d+))?" if ranges else r"(\d+)()", word)
        if not found:
            example = "100-120,130" if ranges else "4096,8192"
            raise ConfigError(f"{word!r} is not a whole number", f"write them as {example}", option)
        first, last = int(found[1]), int(found[2] or found[1])
        if not 0 <= last - first < MOST_IDS:
            raise ConfigError(f"{word!r} is no range of ids", "write the lower id first", option)
        numbers += range(first, last + 1)
    return tuple(numbers)


def token_lines(path: Path | None) -> list[str]:
    """Reads tokens, one a line; none if there is no file. Raises InputError if it cannot be read."""
    if path is None:
        return []
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read: {reason}", "check the path", str(path)) from error
    return [line.removesuffix("\r") for line in text.split("\n") if line.strip("\r")]
