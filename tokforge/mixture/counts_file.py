"""Counted references as one file, so that another tokenizer length, or another day, costs seconds.

The file is numpy's ``.npz`` with plain arrays and one JSON header: nothing in it is ever executed. Files of
different machines are brought together by `tokforge.mixture.references.joined`.
"""

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from tokforge.errors import ConfigError, FormatError, InputError, TokforgeError
from tokforge.inputs import Remark
from tokforge.mixture.references import References, joined
from tokforge.outputs import write_atomically
from tokforge.tokenizer import Pipeline

__all__ = ["DAMAGED", "load_counts", "save_counts"]

DAMAGED = (
    ValueError, KeyError, TypeError, EOFError, NotImplementedError, TokenError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
"""What numpy, zipfile and zlib raise where an ``.npz`` is damaged."""

FORMAT = "tokforge-mixture-counts"
VERSION = 1
_ARRAYS = {
    "words": np.uint8, "word_ends": np.uint64, "entry_ends": np.uint64, "columns": np.uint32,
    "counts": np.uint64, "bytes": np.int64, "characters": np.int64, "documents": np.int64,
}  # fmt: skip


def save_counts(references: References, path: str | Path, *, force: bool = False) -> None:
    """Writes the counts of references; raises OutputError as every output does."""
    pipeline = references.pipeline
    if not all(isinstance(one, str) for one in (*pipeline.pretokenizers, *pipeline.normalizers)):
        raise ConfigError("counts of this tokenizer's normaliser cannot be kept", "leave --save-counts out")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "names": list(references.names),
        "shards": references.shards,
        "kind": pipeline.kind,
        "pretokenizers": list(pipeline.pretokenizers),
        "normalizers": list(pipeline.normalizers),
        "remarks": [remark.as_dict() for remark in references.remarks],
    }
    parts = zip(_ARRAYS, references.table.parts(), strict=False)
    arrays: dict[str, Any] = {name: np.frombuffer(part, _ARRAYS[name]) for name, part in parts}
    arrays |= {name: getattr(references, name) for name in ("bytes", "characters", "documents")}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with write_atomically(path, force=force) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_counts(paths: Sequence[str | Path]) -> References:
    """Reads one file or several, and adds up what they hold.

    Raises InputError for a file that cannot be read, FormatError for one that is damaged or of another
    version, ConfigError where files were counted in different ways.
    """
    return joined([_load(Path(path)) for path in paths])


def _load(path: Path) -> References:
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*_ARRAYS, "header")}
        return _references(arrays)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", "check the path", str(path)) from error
    except TokforgeError as error:
        raise FormatError(error.problem, error.hint, str(path)) from error
    except DAMAGED as error:
        raise FormatError("is no file of counts", "write one with --save-counts", str(path)) from error


def _references(arrays: dict[str, Any]) -> References:
    from tokforge import _core

    header = json.loads(arrays["header"].tobytes())
    if (header["format"], header["version"]) != (FORMAT, VERSION):
        raise FormatError(f"is version {header['version']} of {header['format']}", "count again")
    names, shards = tuple(map(str, header["names"])), int(header["shards"])
    if len(set(names)) < len(names):
        raise FormatError("two categories have one name", "count again; the file is damaged")
    shape = (len(names), shards)
    for name, dtype in _ARRAYS.items():
        wanted = shape if name in ("bytes", "characters", "documents") else (arrays[name].size,)
        array = arrays[name]
        if array.dtype != dtype or array.shape != wanted or (array < 0).any():
            raise FormatError(
                f"the array {name} has another type, shape or sign", "count again; the file is damaged"
            )
    words, word_ends, entry_ends, columns, counts = (arrays[name] for name in list(_ARRAYS)[:5])
    return References(
        names=names,
        shards=shards,
        pipeline=Pipeline(
            kind=header["kind"],
            pretokenizers=tuple(header["pretokenizers"]),
            normalizers=tuple(header["normalizers"]),
        ),
        table=_core.MixtureTable(words, word_ends, entry_ends, columns, counts, len(names) * shards),
        bytes=arrays["bytes"],
        characters=arrays["characters"],
        documents=arrays["documents"],
        remarks=tuple(Remark(**remark) for remark in header["remarks"]),
    )
