"""Groups and dates of documents, from a CSV that the user has beside the files.

The CSV has a header. A row names its document by ``sha256`` (of the content, which also finds it within an
archive) or ``path`` (as given, or relative to the INPUT), and gives its ``group``, its ``time`` or both.
"""

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tokforge.errors import ConfigError, InputError
from tokforge.inputs.config import parse_time
from tokforge.inputs.reading import Document

__all__ = ["Label", "Labels", "folder_group", "read_labels"]


class Label(NamedTuple):
    """What a row says; None for what it leaves open."""

    group: str | None
    time: float | None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows of a CSV by what they name."""

    by_hash: Mapping[str, Label] = field(default_factory=dict)
    by_path: Mapping[str, Label] = field(default_factory=dict)
    has_groups: bool = False

    def of(self, document: Document) -> Label:
        """Returns the label of a document; all None if no row names it."""
        found = self.by_path.get(document.path) or self.by_path.get(_relative(document))
        if found is None and self.by_hash:
            found = self.by_hash.get(hashlib.sha256(document.data).hexdigest())
        return found or Label(None, None)

    def group_of(self, document: Document) -> str:
        """Returns a document's group: by the CSV if it has groups, else the first folder below the INPUT."""
        if self.has_groups:
            return self.of(document).group or ""
        return folder_group(document)


def folder_group(document: Document) -> str:
    """Returns the first folder below the INPUT (an archive is a folder), or the INPUT where there is none."""
    first, *below = re.split("[/!]", _relative(document))
    return first if below else document.source


def _relative(document: Document) -> str:
    return document.path.removeprefix(document.source).lstrip("/!")


def read_labels(path: str | None) -> Labels:
    """Reads a CSV of labels; an empty one for None. Raises InputError with file and line."""
    if path is None:
        return Labels()
    tables: dict[str, dict[str, Label]] = {"sha256": {}, "path": {}}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            columns = _checked_columns(rows.fieldnames or (), path)
            for row in rows:
                _take(row, tables, f"{path}:{rows.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the labels cannot be read: {error}", "give a CSV in UTF-8", path) from error
    return Labels(tables["sha256"], tables["path"], has_groups="group" in columns)


def _checked_columns(columns: object, path: str) -> set[str]:
    found = set(columns) if isinstance(columns, list | tuple) else set()
    if not (found & {"sha256", "path"} and found & {"group", "time"}):
        raise InputError(
            f"the columns are {', '.join(sorted(map(str, found))) or 'none'}",
            "name sha256 or path, and group or time, in the first line",
            path,
        )
    return found


def _take(row: Mapping[str, str | None], tables: Mapping[str, dict[str, Label]], where: str) -> None:
    """Puts one row into the table of what it names."""
    time = row.get("time")
    try:
        label = Label(row.get("group") or None, parse_time(time, where) if time else None)
    except ConfigError as error:
        raise InputError(error.problem, error.hint, where) from error
    named = [(kind, row.get(kind)) for kind in tables if row.get(kind)]
    if not named:
        raise InputError("the row names no document", "give its sha256 or its path", where)
    for kind, name in named:
        key = (name or "").lower() if kind == "sha256" else (name or "").removeprefix("./")
        if tables[kind].setdefault(key, label) != label:
            raise InputError(f"a second row says otherwise of {name}", "keep one of the two", where)
