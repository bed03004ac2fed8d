"""Arrays of ids on disk, written piece by piece and read back without unpickling anything.

``.npy`` is numpy's own format, version 1.0; its header says how long the array is, so room for it is
left at the beginning and filled at the end. ``.bin`` is the ids alone, little-endian, as nanoGPT maps
them; a JSON index beside it says type and boundaries::

    {"format": "tokforge-ids", "version": 1, "dtype": "uint16", "byte_order": "little", "vocab_size": 50257,
     "tokens": 8, "boundaries": [0, 5, 8], "paths": ["a.txt", "b.txt"]}
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tokforge.encoding.config import DTYPES
from tokforge.encoding.reading import find_document
from tokforge.errors import InputError, TokenIdError, TokforgeError, pick

__all__ = ["ArrayWriter", "index_json", "index_path", "load_ids"]

Array = npt.NDArray[Any]
_HEADER_BYTES = 128
"""A multiple of 64, as numpy aligns it; room for any shape of two dimensions."""


class ArrayWriter:
    """Appends to an array in ``file``, raw or (``npy``) with numpy's header; `finish` completes it."""

    def __init__(
        self, file: BinaryIO, dtype: np.dtype[Any], *, npy: bool, columns: int | None = None
    ) -> None:
        self._file, self._dtype, self._npy, self._columns = file, dtype, npy, columns
        self.rows = 0
        if npy:
            file.write(bytes(_HEADER_BYTES))

    def append(self, rows: Array) -> None:
        """Writes (rows,) or (rows, columns) behind what is there."""
        self._file.write(np.ascontiguousarray(rows, self._dtype).data.cast("B") if rows.size else b"")
        self.rows += len(rows)

    def finish(self) -> None:
        """Writes the header."""
        if self._npy:
            self._file.seek(0)
            self._file.write(self._header())
            self._file.seek(0, 2)

    def _header(self) -> bytes:
        shape = (self.rows,) if self._columns is None else (self.rows, self._columns)
        text = f"{{'descr': {self._dtype.str!r}, 'fortran_order': False, 'shape': {shape}, }}"
        room = _HEADER_BYTES - 10
        return b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + text.ljust(room - 1).encode() + b"\n"


def index_path(path: Path) -> Path:
    """Where the index of ``ids.bin`` stands: ``ids.index.json``."""
    return path.with_suffix(".index.json")


def index_json(dtype: np.dtype[Any], vocab_size: int, boundaries: Sequence[int], paths: Sequence[str]) -> str:
    """Returns the index of a ``.bin`` file."""
    content = {
        "format": "tokforge-ids",
        "version": 1,
        "dtype": dtype.name,
        "byte_order": "little",
        "vocab_size": vocab_size,
        "tokens": boundaries[-1],
        "boundaries": list(boundaries),
        "paths": list(paths),
    }
    return json.dumps(content) + "\n"


def load_ids(path: Path, vocab_size: int, dtype: str | None = None) -> npt.NDArray[np.uint32]:
    """Reads a .npy or .bin file of ids: one dimension, any integer type, every id below ``vocab_size``.

    ``dtype`` is that of a .bin file without its index. Nothing is unpickled, and a file that claims more
    than it holds is refused before memory is taken.

    Raises:
        InputError: the file cannot be read, is no such file, or holds something else than ids.
        TokenIdError: an id is out of range; the message says which and where.
    """
    find_document(path)
    array = _map_raw(path, dtype) if path.suffix == ".bin" else _map_npy(path)
    outside = np.flatnonzero((array < 0) | (array >= vocab_size))
    if outside.size:
        at = int(outside[0])
        raise TokenIdError(
            f"id {array[at]} at position {at} is not below {vocab_size}",
            "use the tokenizer that made the ids",
            str(path),
        )
    return np.ascontiguousarray(array, np.uint32)


def _map_npy(path: Path) -> Array:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a hostile header raises whatever the parsers behind numpy's reader raise
        raise InputError(
            "is no complete .npy file of numbers", "write it with encode -o", str(path)
        ) from error
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{array.ndim} dimensions of {array.dtype}" if isinstance(array, np.ndarray) else "an archive"
        raise InputError(f"holds {found}", "give one dimension of integers", str(path))
    return array


def _map_raw(path: Path, dtype: str | None) -> Array:
    if dtype is not None:
        pick("dtype", dtype, dict.fromkeys(DTYPES))
    kind = np.dtype(_indexed_dtype(path) if dtype is None else dtype).newbyteorder("<")
    size = path.stat().st_size
    if size % kind.itemsize:
        raise InputError(f"{size} bytes are no whole number of {kind.name}", "check its type", str(path))
    return np.memmap(path, kind, "r") if size else np.empty(0, kind)


def _indexed_dtype(path: Path) -> str:
    index = index_path(path)
    try:
        content = json.loads(index.read_bytes())
        if content["format"] != "tokforge-ids" or content["version"] != 1:
            raise ValueError("this is no index of ids")
        pick("dtype", content["dtype"], dict.fromkeys(DTYPES))
    except FileNotFoundError as error:
        raise InputError("its type is not known: there is no index", "give --dtype", str(path)) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError, TokforgeError) as error:
        raise InputError(f"is no index of ids: {error}", "restore it, or give --dtype", str(index)) from error
    return str(content["dtype"])
