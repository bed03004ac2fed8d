"""The vocabulary of a GGUF file: its key-value header and its tensors' shapes, never a tensor.

Header: magic, version, tensor count, key count; then keys with typed values, then tensor infos. Every count
is checked against the file's size before anything is made. Linear in the header.
Source: docs/gguf.md of ggml-org/ggml.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tokforge.errors import FormatError

__all__ = ["MAGIC", "GgufHeader", "read_gguf_header"]

MAGIC = b"GGUF"
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_ITEMS = 2**25


@dataclass(slots=True)
class GgufHeader:
    """Keys with their values, and tensor name -> shape (fastest dimension first, as the file has it)."""

    values: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def read_gguf_header(path: Path) -> GgufHeader:
    """Reads the header; raises FormatError where it ends early or names an unknown type."""
    with path.open("rb") as file:
        reader = _Reader(file, path)
        if reader.take(4) != MAGIC:
            raise reader.error("the magic GGUF is missing")
        version = reader.number("I")
        if version not in (2, 3):
            raise reader.error(f"version {version} is unknown (2 and 3 are known)")
        tensors, keys = reader.count(), reader.count()
        header = GgufHeader()
        for _ in range(keys):
            name = reader.text()
            header.values[name] = reader.value(reader.number("I"))
        for _ in range(tensors):
            name = reader.text()
            dimensions = reader.number("I")
            if dimensions > 8:
                raise reader.error(f"tensor {name!r} has {dimensions} dimensions")
            header.shapes[name] = struct.unpack(f"<{dimensions}Q", reader.take(8 * dimensions))
            reader.take(12)  # its type and offset
        return header


class _Reader:
    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.path, self.size = file, path, path.stat().st_size

    def error(self, problem: str) -> FormatError:
        return FormatError(
            problem, "check that the file is complete", f"{self.path}: byte {self.file.tell()}"
        )

    def take(self, size: int) -> bytes:
        data = self.file.read(size) if size <= self.size else b""
        if len(data) < size:
            raise self.error("the file ends early")
        return data

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self) -> int:
        """Reads a count of things that take at least a byte each."""
        value: int = self.number("Q")
        if value > self.size:
            raise self.error(f"{value} entries do not fit into the file")
        return value

    def text(self) -> str:
        # GGUF tokens are UTF-8 by specification, yet files with others exist: keep their bytes.
        return self.take(self.count()).decode("utf-8", "surrogateescape")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            if kind not in _SCALARS:
                raise self.error(f"the value type {kind} is unknown")
            return self.number(_SCALARS[kind])
        inner, length = self.number("I"), self.count()
        if length > _MOST_ITEMS:
            raise self.error(f"an array of {length} items is no vocabulary")
        if inner == _STRING:
            return [self.text() for _ in range(length)]
        if inner not in _SCALARS:
            raise self.error(f"an array of type {inner} is unknown")
        code = _SCALARS[inner]
        return list(struct.unpack(f"<{length}{code}", self.take(length * struct.calcsize("<" + code))))
