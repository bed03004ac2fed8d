"""Safetensors files: headers checked, tensors read as arrays, files rewritten with a few tensors replaced.

Layout: header length u64, JSON header (name -> dtype, shape, [begin, end] in the data), data. Invariants: no
offset or length is believed before it is checked against the file; a rewritten file has the old one's
tensors in the old order, each unreplaced one byte for byte; memory is one block. Source: the
safetensors format description.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tokforge.errors import FormatError, InputError

__all__ = ["FLOATS", "Array", "Tensor", "TensorFile", "as_dtype", "as_float32", "write_file"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
FLOATS: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
"""Types in which rows are read and written; numpy has no bfloat16, which is kept as its 16 bits."""
_SIZES = {
    **{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4},
    **{"U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8},
}
_MAX_HEADER = 100 << 20
_BLOCK = 16 << 20
_HINT = "fetch the checkpoint again: a download that broke off looks like this"


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies in its file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    """First byte, counted from the start of the file."""
    size: int


@dataclass(frozen=True)
class TensorFile:
    """One safetensors file, its header read and checked."""

    path: Path
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> "TensorFile":
        """Reads the header. Raises InputError if the file cannot be read, FormatError if it is cut or
        malformed.
        """
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if size < 8 or not 2 <= length <= min(size - 8, _MAX_HEADER):
                    raise FormatError(f"a header of {length} bytes in a file of {size}", _HINT, str(path))
                header = json.loads(file.read(length))
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", "check the path", str(path)) from error
        except ValueError as error:
            raise FormatError(f"the header is no JSON: {error}", _HINT, str(path)) from error
        if not isinstance(header, dict):
            raise FormatError("the header is no object", _HINT, str(path))
        metadata = header.pop("__metadata__", {})
        found = {name: _tensor(name, entry, 8 + length, size, path) for name, entry in header.items()}
        return cls(path, dict(sorted(found.items(), key=lambda item: item[1].begin)), metadata)

    @cached_property
    def data_begin(self) -> int:
        """First byte of the data."""
        return min((tensor.begin for tensor in self.tensors.values()), default=0)

    def array(self, name: str) -> Array:
        """Returns a tensor as an array mapped from the file: bfloat16 as uint16. Raises FormatError for
        other types.
        """
        tensor = self.tensors[name]
        if tensor.dtype not in FLOATS:
            raise FormatError(
                f"{name} is of type {tensor.dtype}",
                f"convert the model to one of: {', '.join(FLOATS)}",
                str(self.path),
            )
        return np.memmap(self.path, FLOATS[tensor.dtype], "r", tensor.begin, tensor.shape)

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yields the bytes of a tensor, block by block."""
        tensor = self.tensors[name]
        with self.path.open("rb") as file:
            file.seek(tensor.begin)
            left = tensor.size
            while left:
                block = file.read(min(_BLOCK, left))
                if not block:
                    raise FormatError(f"{name} ends {left} bytes early", _HINT, str(self.path))
                left -= len(block)
                yield block


def _tensor(name: str, entry: Any, start: int, size: int, path: Path) -> Tensor:
    try:
        dtype, shape = entry["dtype"], tuple(int(n) for n in entry["shape"])
        begin, end = (int(n) for n in entry["data_offsets"])
        expected = math.prod(shape) * _SIZES[dtype]
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"the entry of {name} is malformed", _HINT, str(path)) from error
    if not 0 <= begin <= end or end - begin != expected or min(shape, default=0) < 0:
        raise FormatError(f"{name} claims {end - begin} bytes, its shape needs {expected}", _HINT, str(path))
    if start + end > size:
        raise FormatError(f"{name} ends at byte {start + end} of a file of {size}", _HINT, str(path))
    return Tensor(dtype, shape, start + begin, end - begin)


def as_float32(rows: Array) -> Floats:
    """Returns rows as float32, exactly; uint16 is bfloat16."""
    if rows.dtype == np.uint16:
        return (rows.astype(np.uint32) << 16).view(np.float32)
    return rows.astype(np.float32, copy=False)


def as_dtype(rows: Floats, dtype: str) -> Array:
    """Returns float32 rows in a type of FLOATS, rounded to nearest, ties to even."""
    if dtype != "BF16":
        return rows.astype(FLOATS[dtype], copy=False)
    bits = np.ascontiguousarray(rows, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(rows), 0x7FC0, rounded).astype(np.uint16)


def write_file(
    source: TensorFile,
    shapes: Mapping[str, tuple[int, ...]],
    blocks: Callable[[str], Iterator[bytes]],
    target: BinaryIO,
) -> None:
    """Writes ``source`` anew with the tensors of ``shapes`` in new shapes, their bytes from ``blocks``."""
    header: dict[str, Any] = {"__metadata__": dict(source.metadata)} if source.metadata else {}
    at = 0
    for name, tensor in source.tensors.items():
        shape = shapes.get(name, tensor.shape)
        size = math.prod(shape) * _SIZES[tensor.dtype]
        header[name] = {"dtype": tensor.dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write(len(text).to_bytes(8, "little") + text)
    for name in source.tensors:
        for block in blocks(name) if name in shapes else source.blocks(name):
            target.write(block)
