"""What a command prints: one JSON object or plain aligned text on stdout, notes on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tokforge_cli._failure import one_line


def emit(result: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Prints the result of a command: the object with ``--json``, else the text."""
    print(json.dumps(result, allow_nan=False) if as_json else text)  # noqa: T201


def note(message: str, *, quiet: bool) -> None:
    """Prints one line on stderr about something the user should know, unless told to be quiet."""
    if not quiet:
        print(one_line(f"tokforge: {message}"), file=sys.stderr)  # noqa: T201


def pairs(rows: Iterable[tuple[str, Any]]) -> str:
    """Lays out ``name  value`` lines with the values in one column."""
    shown = [(name, cell(value)) for name, value in rows]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in shown)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Lays out rows under a header; columns of numbers are aligned to the right."""
    body = [list(row) for row in rows]
    columns = list(zip(*([list(header)] + [[cell(value) for value in row] for row in body]), strict=True))
    numeric = [all(isinstance(row[at], int | float | None) for row in body) for at in range(len(header))]
    widths = [max(map(len, column)) for column in columns]
    layout = list(zip(widths, numeric, strict=True))
    return "\n".join(_line(texts, layout) for texts in zip(*columns, strict=True))


def _line(texts: Sequence[str], layout: Sequence[tuple[int, bool]]) -> str:
    cells = zip(texts, layout, strict=True)
    return "  ".join(text.rjust(w) if right else text.ljust(w) for text, (w, right) in cells).rstrip()


def outline(result: Mapping[str, Any]) -> str:
    """Lays out any nested result: scalars as pairs, lists of objects as tables, objects indented."""
    scalars = [(name, value) for name, value in result.items() if not _nests(value)]
    nested = [(name, value) for name, value in result.items() if _nests(value)]
    sections = [f"\n{_title(name)}\n{_indented(_body(value))}" for name, value in nested]
    head = [pairs((_title(name), value) for name, value in scalars)] if scalars else []
    return "\n".join(head + sections).lstrip("\n")


def _nests(value: Any) -> bool:
    holder = value[0] if isinstance(value, list | tuple) and value else value
    return bool(value) and isinstance(holder, Mapping)


def _body(value: Any) -> str:
    if isinstance(value, Mapping):
        return outline(value)
    header = list(dict.fromkeys(name for row in value for name in row))
    return table([_title(name) for name in header], [[row.get(name) for name in header] for row in value])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def _title(name: str) -> str:
    return str(name).replace("_", " ")


def cell(value: Any) -> str:
    """Returns a value as text: grouped digits, three places below 1,000, a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or "-"
    return one_line(str(value))


def shown_bytes(count: float) -> str:
    """Returns a size in decimal units, as disks and networks count: ``65.1 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
