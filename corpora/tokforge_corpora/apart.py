"""Keeps two corpora apart: ``python -m tokforge_corpora.apart HELDOUT.toml OTHER > NEW.toml``.

Prints the manifest with ``left_out``: the contents that are nearly the same as some document of the corpus
OTHER (a name or a manifest), by MinHash over content-defined chunks at a similarity of 0.8. Both are fetched.
A manifest that names what it leaves out is the same corpus for everyone, without the other one at hand.
"""

import re
import sys
from hashlib import sha256
from pathlib import Path

from tokforge.errors import InputError, TokforgeError
from tokforge.inputs.similarity import NearDuplicates, signature_of
from tokforge_corpora._fetch import fetch
from tokforge_corpora._manifest import MANIFESTS, Manifest, read_manifest

__all__ = ["SIMILARITY", "main", "near_duplicates", "with_left_out"]

SIMILARITY = 0.8
SEED = 0


def near_duplicates(corpus: Manifest, other: Manifest, *, offline: bool = False) -> list[str]:
    """Returns the documents of ``corpus`` that one of ``other`` is like: 16 digits of each one's SHA-256."""
    index = NearDuplicates(SIMILARITY)
    for _, _, data in fetch(other, offline=offline).documents():
        index.add(signature_of(data, SEED))
    return sorted(
        sha256(data).hexdigest()[:16]
        for _, _, data in fetch(corpus, offline=offline).documents()
        if index.has_like(signature_of(data, SEED))
    )


def with_left_out(text: str, left_out: list[str]) -> str:
    """Returns a manifest's text with these contents left out besides those that it leaves out already."""
    found = re.search(r"^left_out = \[(.*?)\]\n", text, re.MULTILINE | re.DOTALL)
    known = re.findall(r'"([0-9a-f]{16})"', found[1]) if found else []
    plain = text.replace(found[0], "") if found else text
    lines = "".join(f'    "{one}",\n' for one in sorted({*known, *left_out}))
    head, items, rest = plain.partition("\n[[items]]")
    if not items:
        raise InputError("this is no manifest", "give a TOML file with [[items]]")
    return f"{head.rstrip()}\nleft_out = [\n{lines}]\n{items}{rest}"


def main(arguments: list[str]) -> int:
    """Prints the manifest of one corpus, apart from the other; returns the exit code."""
    try:
        path, other = arguments
        shipped = MANIFESTS / f"{other}.toml"
        against = read_manifest(shipped if shipped.exists() else Path(other))
        found = near_duplicates(read_manifest(Path(path)), against)
        sys.stdout.write(with_left_out(Path(path).read_text(encoding="utf-8"), found))
    except ValueError:
        sys.stderr.write("usage: python -m tokforge_corpora.apart HELDOUT.toml OTHER\n")
        return 2
    except (TokforgeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
