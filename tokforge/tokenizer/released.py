"""Vocabularies that ship with tokforge: ``binary-4k``, ``-8k``, ``-16k``, ``-32k``, ``-64k``.

All are prefixes of one list of merges, so one file holds them: a line of JSON (what it is, and where it came
from), then a pair of ids for each merge, as 16-bit little-endian numbers. Ids 0 to 255 are the bytes in
GPT-2's order; a merge makes the next id, or, as in training, the one that has its bytes already. `pack`
writes the file and `unpack` reads it, each the other's inverse.

A name is taken as released where nothing of that name lies in the working folder; where something does, it is
an error that says how to name each, so that neither hides the other.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tokforge.errors import ConfigError, FormatError
from tokforge.tokenizer.formats.byte_alphabet import initial_bytes

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["RELEASED", "RELEASED_FILE", "load_released", "pack", "released_name", "unpack"]

RELEASED: Mapping[str, int] = {
    "binary-4k": 4096,
    "binary-8k": 8192,
    "binary-16k": 16384,
    "binary-32k": 32768,
    "binary-64k": 65536,
}
"""Name -> vocabulary size."""
RELEASED_FILE = Path(__file__).with_name("binary.merges")
_PREFIX = "released:"
_FORMAT = "tokforge merges 1"


def released_name(path: str | Path) -> str | None:
    """Returns the released name that ``path`` is, or None.

    Raises ConfigError where a file or folder has that name, or for ``released:`` before an unknown one.
    """
    text = str(path)
    name = text.removeprefix(_PREFIX)
    if name not in RELEASED:
        if text.startswith(_PREFIX):
            raise ConfigError(f"there is no released {name!r}", f"use one of: {', '.join(RELEASED)}")
        return None
    if text == name and Path(name).exists():
        hint = f"write {_PREFIX}{name} for the vocabulary, {Path(name).absolute()} for the file"
        raise ConfigError("is a released vocabulary and a file of this folder", hint, name)
    return name


@lru_cache(maxsize=len(RELEASED))
def load_released(name: str) -> "Tokenizer":
    """Returns the vocabulary of that name, which `RELEASED` must hold."""
    whole = unpack(RELEASED_FILE.read_bytes(), str(RELEASED_FILE))
    return whole if RELEASED[name] == whole.vocab_size else whole.prefix(RELEASED[name])


def pack(tokenizer: "Tokenizer", provenance: Mapping[str, Any]) -> bytes:
    """Returns the file of a byte-level BPE without special tokens, of 65,536 ids at most.

    ``provenance`` is what the vocabularies read from it will say of themselves. Raises ConfigError for
    another tokenizer.
    """
    pairs = np.array([merge[:2] for merge in tokenizer.merges], np.uint32).reshape(-1, 2)
    body = pairs.astype("<u2").tobytes()
    head = {
        "format": _FORMAT,
        "merges": len(pairs),
        "sha256": sha256(body).hexdigest(),
        "provenance": provenance,
    }
    packed = json.dumps(head, sort_keys=True).encode() + b"\n" + body
    fits = tokenizer.kind == "binary" and tokenizer.vocab_size <= 1 << 16
    if not fits or unpack(packed, "packed").fingerprint != tokenizer.fingerprint:
        raise ConfigError("it is more than bytes and their merges", "train it with --preset binary")
    return packed


def unpack(data: bytes, where: str) -> "Tokenizer":
    """Reads what `pack` wrote; raises FormatError for anything else."""
    from tokforge.tokenizer.model import Pipeline
    from tokforge.tokenizer.tokenizer import Tokenizer

    line, _, body = data.partition(b"\n")
    try:
        head = json.loads(line)
        fits = head["format"] == _FORMAT and head["sha256"] == sha256(body).hexdigest()
        provenance = dict(head["provenance"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"is no file of merges: {error}", "install tokforge again", where) from error
    if not fits or len(body) % 4:
        raise FormatError("its merges are not those that were written", "install tokforge again", where)
    tokens = list(initial_bytes())
    known = {token: number for number, token in enumerate(tokens)}
    merges = []
    for left, right in np.frombuffer(body, "<u2").reshape(-1, 2).tolist():
        if max(left, right) >= len(tokens):
            raise FormatError("a merge joins ids that no merge has made", "install tokforge again", where)
        merged = tokens[left] + tokens[right]
        merges.append((left, right, known.setdefault(merged, len(tokens))))
        if merges[-1][2] == len(tokens):
            tokens.append(merged)
    return Tokenizer.from_parts(
        tokens=tokens, merges=merges, added_tokens=(), pipeline=Pipeline(kind="binary"), provenance=provenance
    )
