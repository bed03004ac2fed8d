"""Pins a manifest anew: ``python -m tokforge_corpora.refresh MANIFEST.toml > NEW.toml``.

Edit the versions in a manifest first (or write one without hashes); this runs each item's client and prints
the manifest with ``file``, ``sha256`` and ``bytes`` of what came. Comments and order stay as they are.
"""

import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokforge.errors import InputError, TokforgeError
from tokforge_corpora import _clients
from tokforge_corpora._cache import file_sha256
from tokforge_corpora._manifest import Item, parse_item

__all__ = ["main", "refresh"]

PINNED = re.compile(r"^(file|sha256|bytes)\s*=")


def refresh(text: str) -> str:
    """Returns a manifest's text with every item's file, hash and size as its client brings them now.

    Raises InputError when a client fails, or when the text is no manifest.
    """
    try:
        rows = tomllib.loads(text)["items"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(f"this is no manifest: {error}", "give a TOML file with [[items]]") from error
    return "\n".join(_pinned_lines(text, iter(rows))) + "\n"


def _pinned_lines(text: str, rows: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    in_item = False
    for line in text.splitlines():
        in_item = in_item or line.startswith("[[items]]")
        if in_item and PINNED.match(line):
            continue
        yield line
        if in_item and re.match(r"version\s*=", line):
            yield from (f"{key} = {value}" for key, value in _pin(next(rows)).items())


def _pin(row: Mapping[str, Any]) -> dict[str, str]:
    # What is pinned is not known yet; these stand in, so that the row can be checked like any other.
    item = parse_item(
        {**row, "file": _expected_file(row) or "unknown", "sha256": "0" * 64, "bytes": 0}, "items"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        file, path = _bring(item, folder)
        return {"file": f'"{file}"', "sha256": f'"{file_sha256(path)}"', "bytes": str(path.stat().st_size)}


def _expected_file(row: Mapping[str, Any]) -> str:
    """Returns the file's name where it follows from the package; the other clients choose one themselves."""
    package, version = str(row.get("package")), str(row.get("version"))
    names = {"cargo": f"{package}-{version}.crate", "go": f"{package.replace('/', '-')}-{version}.zip"}
    return names.get(str(row.get("client")), "")


def _bring(item: Item, folder: Path) -> tuple[str, Path]:
    client, where = _clients.CLIENTS[item.client], f"{item.package} {item.version}"
    output = _clients.run(client.arguments(item, folder), folder, client.hint, where)
    if item.file != "unknown":
        return item.file, client.locate(item, folder, output)
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise InputError(f"{item.client} brought {len(files)} files", "one is expected", where)
    return files[0].name, files[0]


def main(arguments: list[str]) -> int:
    """Prints the refreshed manifest of one file; returns the exit code."""
    try:
        (path,) = arguments
        sys.stdout.write(refresh(Path(path).read_text(encoding="utf-8")))
    except ValueError:
        sys.stderr.write("usage: python -m tokforge_corpora.refresh MANIFEST.toml\n")
        return 2
    except (TokforgeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
