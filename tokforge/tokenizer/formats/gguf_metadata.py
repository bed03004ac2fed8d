"""The metadata of a GGUF file: the key-value pairs at its head and the tensors' shapes, never the tensors.

Layout (version 2 and 3): ``GGUF``, version u32, tensors u64, pairs u64, then per pair a key (u64 length,
UTF-8), a type u32 and a value; an array is an element type u32, a length u64 and the elements. Then per
tensor a name, dimensions u32, as many u64, a type u32 and an offset u64. A file for a big-endian machine has
its version byte-swapped. Invariant: no count or length is believed before it is checked against the bytes
that are there (an element takes at least one), so time and memory are linear in what was given.
Source: ggml's docs/gguf.md.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted

__all__ = ["MAGIC", "GgufReader", "read_metadata"]

MAGIC = b"GGUF"
_HINT = "check that the file is complete; a GGUF model begins with its metadata"
_SCALARS = {
    0: "u1",
    1: "i1",
    2: "u2",
    3: "i2",
    4: "u4",
    5: "i4",
    6: "f4",
    7: "u1",
    10: "u8",
    11: "i8",
    12: "f8",
}
_BOOLEAN, _STRING, _ARRAY = 7, 8, 9
_VERSIONS = (2, 3)
_DEEPEST = 4
"""Arrays of arrays exist in the specification and in no vocabulary; a tower of them is an attack."""


_MOST_DIMENSIONS = 8
_TYPE_AND_OFFSET = 12


class GgufReader:
    """A cursor over the bytes, that reads `pairs`, then `shapes`.

    Raises FormatError for another version and everything malformed. ``string_errors``: what is done about
    strings that are no UTF-8.
    """

    def __init__(
        self, data: bytes, where: str, string_errors: Literal["strict", "surrogateescape"] = "strict"
    ) -> None:
        self.data, self.where, self.at, self.order = data, where, len(MAGIC), "<"
        self._string_errors = string_errors
        if data[: len(MAGIC)] != MAGIC:
            raise FormatError("the file does not begin with GGUF", _HINT, where)
        _read_version(self)
        self._tensors = self.count()

    def pairs(self) -> Iterator[tuple[str, Any]]:
        """Yields each key with its value, as they stand."""
        pairs = self.count()
        if pairs > len(self.data):
            raise self.error(f"{pairs} pairs are claimed in {len(self.data)} bytes")
        for _ in range(pairs):
            yield self.string(), self.value(self.count("u4"))

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yields each tensor's name and shape, the fastest dimension first; after all of `pairs`."""
        if self._tensors > len(self.data):
            raise self.error(f"{self._tensors} tensors are claimed in {len(self.data)} bytes")
        for _ in range(self._tensors):
            name, dimensions = self.string(), self.count("u4")
            if dimensions > _MOST_DIMENSIONS:
                raise self.error(f"the tensor {quoted(name)} with {dimensions} dimensions stands")
            shape = tuple(self.numbers("u8", dimensions).tolist())
            self.take(_TYPE_AND_OFFSET)
            yield name, shape

    def error(self, problem: str) -> FormatError:
        """Returns the error that names the place."""
        return FormatError(f"{problem} at byte {self.at}", _HINT, self.where)

    def take(self, size: int) -> bytes:
        """Returns the next bytes."""
        if size > len(self.data) - self.at:
            raise self.error(f"{size} bytes are claimed, {len(self.data) - self.at} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, code: str, count: int = 1) -> npt.NDArray[Any]:
        """Returns the next numbers, (count,), of a numpy type without its byte order."""
        dtype = np.dtype(self.order + code)
        return np.frombuffer(self.take(count * dtype.itemsize), dtype)

    def count(self, code: str = "u8") -> int:
        """Returns one whole number."""
        return int(self.numbers(code)[0])

    def string(self) -> str:
        """Returns a text behind its length."""
        raw = self.take(self.count())
        try:
            return raw.decode("utf-8", self._string_errors)
        except UnicodeDecodeError as error:
            raise self.error(f"a string that is no UTF-8 ({quoted(raw)}) ends") from error

    def value(self, kind: int, depth: int = 0) -> Any:
        """Returns a value of the type ``kind``."""
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self.array(depth)
        if kind not in _SCALARS:
            raise self.error(f"the unknown value type {kind} ends")
        value = self.numbers(_SCALARS[kind])[0].item()
        if kind == _BOOLEAN and value > 1:
            raise self.error(f"the boolean {value} ends")
        return bool(value) if kind == _BOOLEAN else value

    def array(self, depth: int) -> Any:
        """Returns numbers as a numpy array, a view of the file: a list would take eight times their size."""
        if depth >= _DEEPEST:
            raise self.error(f"arrays nested more than {_DEEPEST} deep stand")
        kind, length = self.count("u4"), self.count()
        if length > len(self.data) - self.at:
            raise self.error(
                f"an array of {length} elements with {len(self.data) - self.at} bytes left stands"
            )
        if kind in _SCALARS:
            return self.numbers(_SCALARS[kind], length)
        return [self.value(kind, depth + 1) for _ in range(length)]


def read_metadata(data: bytes, where: str, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """Returns key -> value for the keys that are ``wanted``; ``data`` may go on with tensors.

    Raises FormatError for another version, a key that stands twice, and everything malformed.
    """
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for key, value in GgufReader(data, where).pairs():
        if key in seen:
            raise FormatError(f"the key {quoted(key)} stands twice", "keep one of the two", where)
        seen.add(key)
        if wanted(key):
            found[key] = value
    return found


def _read_version(reader: GgufReader) -> None:
    version = reader.count("u4")
    if version not in _VERSIONS and int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS:
        reader.order, version = ">", int.from_bytes(version.to_bytes(4, "little"), "big")
    if version not in _VERSIONS:
        raise FormatError(
            f"GGUF version {version} is unknown", f"versions {_VERSIONS[0]} and {_VERSIONS[1]} are read",
            reader.where,
        )  # fmt: skip
