"""Manifests: what a corpus is made of, as a TOML file that names every download and its SHA-256.

Invariant: a manifest that loads is complete and safe to act on: no unknown key, every file name is a plain
name, every hash is 64 hexadecimal digits, every client is one we know how to run.
"""

import re
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tokforge.errors import InputError, UnknownNameError, pick

CLIENTS = ("apt", "cargo", "go", "maven", "npm", "pip")
READERS = ("executables", "files", "help-pages")
MANIFESTS = Path(__file__).with_name("manifests")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One package file: which client brings it, how it is recognised, and which of its members count."""

    client: str
    """One of ``CLIENTS``."""
    package: str
    """The name that the client knows; for Maven ``group:artifact``."""
    version: str
    file: str
    """The file's name as the client writes it."""
    sha256: str
    bytes: int
    """The download's size."""
    group: str | None = None
    """The group of every document; without it, the first folder of the member's path."""
    platforms: tuple[str, ...] = ()
    """pip's ``--platform`` tags; none for a package that runs anywhere."""
    classifier: str | None = None
    """Maven's classifier, such as ``sources``."""
    packaging: str | None = None
    """Maven's packaging, such as ``aar``; ``jar`` if not given."""
    suite: str | None = None
    """apt's suite, such as ``trixie``, where it is not the machine's own."""
    reader: str | None = None
    """One of ``READERS``, where it is not the manifest's."""
    inner: str | None = None
    """Archives inside the archive, as a shell pattern, whose members are meant."""
    select: tuple[str, ...] = ("*",)
    """Shell patterns, in which ``*`` also crosses folders; a member whose whole path matches one is taken."""
    exclude: tuple[str, ...] = ()
    strip: int = 0
    """Leading folders to drop from the path of a member to make its document's name."""
    prefix: str | None = None
    """A folder put before the document's name: the package's name unless given; may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A named corpus."""

    name: str
    version: str
    description: str
    licences: tuple[str, ...]
    group_kind: str
    """What a group is: ``platform``, ``language``, ``code language`` or ``folder``."""
    reader: str
    """One of ``READERS``: all members, executables only (by magic number), or the text of help pages."""
    items: tuple[Item, ...]
    max_bytes: int | None = None
    """Keep a sample of at most this many bytes, chosen by the hash of each document's name."""
    max_group_bytes: int | None = None
    """The same for each group, in place of ``max_bytes``."""
    left_out: tuple[str, ...] = ()
    """Documents left out, by the first 16 digits of their SHA-256: near-duplicates of another corpus."""
    untranslated_group: str | None = None
    """For help pages: blocks that also stand in this group are dropped from every other one."""

    @property
    def download_bytes(self) -> int:
        """Returns the size of all downloads together."""
        return sum(item.bytes for item in self.items)


def list_corpora() -> tuple[Manifest, ...]:
    """Returns every manifest that ships with tokforge, by name."""
    return tuple(read_manifest(path) for path in sorted(MANIFESTS.glob("*.toml")))


def corpus_names() -> tuple[str, ...]:
    """Returns the names of `list_corpora`, without reading a manifest."""
    return tuple(sorted(path.stem for path in MANIFESTS.glob("*.toml")))


def load_manifest(name: str) -> Manifest:
    """Returns the manifest called ``name``; raises UnknownNameError with the names there are."""
    table = {one: MANIFESTS / f"{one}.toml" for one in corpus_names()}
    return read_manifest(pick("corpora", name, table))


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest from a TOML file.

    Raises:
        InputError: the file cannot be read, is no TOML, or a value is missing or of the wrong kind.
        UnknownNameError: a key, client or reader is unknown.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"the manifest cannot be read: {error}", "give a TOML manifest", str(path)
        ) from error
    return parse_manifest(table, str(path))


def parse_manifest(table: Mapping[str, Any], where: str) -> Manifest:
    """Checks a manifest's table and returns it; ``where`` names the file in errors."""
    rows = table.get("items")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError("the manifest has no [[items]]", "list at least one package", where)
    items = tuple(parse_item(row, f"{where}: items[{index}]") for index, row in enumerate(rows))
    manifest = _build(Manifest, {**table, "items": items}, where)
    _name("reader", manifest.reader, READERS, where)
    return manifest


def parse_item(row: Mapping[str, Any], where: str) -> Item:
    """Checks one row of ``[[items]]`` and returns it."""
    item = _build(Item, row, where)
    _name("client", item.client, CLIENTS, where)
    _name("reader", item.reader or "files", READERS, where)
    if not re.fullmatch(r"[0-9a-f]{64}", item.sha256):
        raise InputError(f"sha256 is {item.sha256!r}", "give 64 lower-case hexadecimal digits", where)
    if not re.fullmatch(r"[\w.+%~@-]+", item.file) or item.file.startswith("."):
        raise InputError(f"file is {item.file!r}", "give a plain file name, without a folder", where)
    # A leading dash would reach the client as an option.
    for key, value in (("package", item.package), ("version", item.version), ("suite", item.suite or "own")):
        if not re.fullmatch(r"[\w@][\w@/.:+~-]*", value):
            raise InputError(f"{key} is {value!r}", f"give a plain {key}", where)
    return item


def _build(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Makes a dataclass from a table, refusing unknown keys, missing keys and wrong types."""
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        _name("the manifest", key, tuple(known), where)
    hints = get_type_hints(kind)
    values = {key: _typed(value, hints[key], f"{where}: {key}") for key, value in table.items()}
    missing = [key for key, field in known.items() if key not in values and field.default is MISSING]
    if missing:
        raise InputError(f"{missing[0]} is missing", f"give {', '.join(missing)}", where)
    return kind(**values)


def _typed(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):  # the only unions here are ``X | None``
        hint = get_args(hint)[0]
    if get_origin(hint) is tuple:
        member = get_args(hint)[0]
        if not isinstance(value, list | tuple) or not all(isinstance(part, member) for part in value):
            raise InputError(f"the value is {value!r}", f"give a list of {member.__name__}", where)
        return tuple(value)
    if not isinstance(value, hint) or isinstance(value, bool) or (hint is int and value < 0):
        raise InputError(f"the value is {value!r}", f"give {'a number' if hint is int else 'text'}", where)
    return value


def _name(option: str, name: str, allowed: tuple[str, ...], where: str) -> None:
    if name not in allowed:
        raise UnknownNameError(
            f"{option} has no {name!r}", f"use one of: {', '.join(sorted(allowed))}", where
        )
