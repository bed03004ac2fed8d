"""Options that many commands share, and the readers of their small spellings."""

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from tokforge.errors import ConfigError
from tokforge_cli._recipe import load

RUN = "This run"
"""Title of the options that every command has."""

# readable=False here and elsewhere: click must not look first, for the library says path, reason and way out.
Tokenizer = Annotated[
    Path,
    typer.Argument(
        metavar="TOKENIZER",
        help="A tokenizer of any format: a file, its folder, pkg:package/path or hf:owner/name.",
        readable=False,
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


def whole_numbers(option: str, texts: Iterable[str]) -> tuple[int, ...]:
    """Reads ``4096,8192``, repeated or not."""
    words = [word.strip() for text in texts for word in text.split(",")]
    for word in words:
        if not re.fullmatch(r"\d+", word):
            raise ConfigError(f"{word!r} is not a whole number", "write them as 4096,8192", option)
    return tuple(map(int, words))
