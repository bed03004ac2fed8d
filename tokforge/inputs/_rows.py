"""Rows of jsonl and parquet files as documents; one row in memory at a time, whatever the file's size.

Text becomes UTF-8. A lone surrogate (``"\\ud800"`` in JSON) has no UTF-8: it is kept as the three bytes of
the generalised form (WTF-8) and reported, since one such row in a corpus of millions should neither end
an hour's work nor vanish. Sources: jsonlines.org; RFC 8259; RFC 8878 (zstd); WTF-8, section 3.
"""

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from tokforge.errors import InputError

__all__ = ["Row", "jsonl_rows", "parquet_rows", "zstd_stream"]

MAX_COMPRESSED_ROW_BYTES = 1 << 30
"""A plain file's line takes its length on disk; a compressed one may promise far more than it weighs."""

_MAX_WINDOW_BYTES = 1 << 27  # zstd --long=27, the most that the format asks a decoder to support by default
_ZSTD_READ_BYTES = 1 << 12  # zstd expands at most about 32,000 times, so 128 MiB come from one read


_decode = json.JSONDecoder().decode


class Row(NamedTuple):
    """One row's field."""

    number: int
    """Line or row number, from 1."""
    data: bytes | None
    """None where the field is null."""
    position: int
    """Bytes of the file that were read to get here."""
    surrogates: bool = False
    """Whether the text holds a lone surrogate."""


def jsonl_rows(file: BinaryIO, suffix: str, field: str, where: str) -> Iterator[Row]:
    """Yields the field of every line; blank lines are no rows.

    Raises InputError, with path and line, for what is not UTF-8, not a JSON object, without the field or
    with another value in it than a string or null, and for a truncated or corrupt compressed stream.
    """
    number, position = 0, 0
    try:
        for number, line in enumerate(_lines(file, suffix, where), 1):
            if number % 64 == 1:  # asking for the position at every row costs as much as parsing a short one
                position = file.tell()
            if text := line.rstrip():
                yield _row(number, _field_of(text, field, where, number), position)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _corrupt(error, f"{where}:{number + 1}") from error


def _corrupt(error: Exception, where: str) -> InputError:
    return InputError(f"the compressed stream is truncated or corrupt ({error})", "fetch it again", where)


def _row(number: int, value: str | None, position: int) -> Row:
    if value is None:
        return Row(number, None, position)
    try:
        return Row(number, value.encode(), position)
    except UnicodeEncodeError:
        return Row(number, value.encode("utf-8", "surrogatepass"), position, surrogates=True)


def _field_of(line: bytes, field: str, where: str, number: int) -> str | None:
    try:
        # Decoded here, because json.loads guesses UTF-16 and lets encoded surrogates pass.
        row = _decode(line.removeprefix(codecs.BOM_UTF8).decode() if number == 1 else line.decode())
        value = row[field]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise _malformed(line, field, error, f"{where}:{number}") from error
    if not (value is None or isinstance(value, str)):
        problem = f"the field {field!r} is a {type(value).__name__}, not a string"
        raise InputError(problem, f"its fields are: {names(row)}", f"{where}:{number}")
    return value


def _malformed(line: bytes, field: str, error: Exception, where: str) -> InputError:
    """Finds words for a line that gave no field."""
    if isinstance(error, RecursionError):
        return InputError("the JSON is nested too deeply", "mend or remove the line", where)
    if isinstance(error, json.JSONDecodeError):  # its own words name "line 1", which is not the file's
        why = f"{error.msg} at column {error.colno}"
        return InputError(f"is not JSON: {why}", "mend or remove the line", where)
    if isinstance(error, ValueError):
        return InputError(f"is not JSON: {error}", "mend or remove the line", where)
    row = json.loads(line)
    if not isinstance(row, dict):
        return InputError(f"is a JSON {type(row).__name__}, not an object", "use one object a line", where)
    return InputError(f"the row has no field {field!r}", f"its fields are: {names(row)}", where)


def names(fields: Iterable[str]) -> str:
    """Lists field names for a message; the first twenty, escaped where they would not print."""
    listed = [ascii(name)[1:-1] for name in fields]
    more = [f"and {len(listed) - 20} more"] if len(listed) > 20 else []
    return ", ".join(listed[:20] + more) or "none"


def _lines(file: BinaryIO, suffix: str, where: str) -> Iterator[bytes]:
    if suffix == ".jsonl":
        yield from file
        return
    stream = zstd_stream(file, where) if suffix.endswith(".zst") else gzip.GzipFile(fileobj=file, mode="rb")
    number = 1
    while line := stream.readline(MAX_COMPRESSED_ROW_BYTES + 1):
        if len(line) > MAX_COMPRESSED_ROW_BYTES:
            raise InputError(
                f"the row expands to more than {MAX_COMPRESSED_ROW_BYTES} bytes",
                "decompress the file first if it is meant",
                f"{where}:{number}",
            )
        yield line
        number += 1


def zstd_stream(file: BinaryIO, where: str) -> io.BufferedReader:
    """Returns what a zstd file holds; raises InputError where it is truncated or corrupt."""
    return io.BufferedReader(_ZstdFrames(file, where), 1 << 17)


class _ZstdFrames(io.RawIOBase):
    """All frames of a zstd file, end to end. zstandard's own reader takes a truncated frame for its end."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        from zstandard import ZstdDecompressor, ZstdError

        self._file, self._where, self._error = file, where, ZstdError
        self._decompressor = ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        self._frame = self._decompressor.decompressobj()
        self._started = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._ready and (data := self._input()):
            self._ready = memoryview(self._decompress(data))
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _input(self) -> bytes:
        """The next compressed bytes: what the last frame left over, else from the file."""
        data = self._frame.unused_data if self._frame.eof else b""
        data = data or self._file.read(_ZSTD_READ_BYTES)
        if self._frame.eof and data:
            self._frame = self._decompressor.decompressobj()
            self._started = False
        if not data and self._started and not self._frame.eof:
            raise _corrupt(EOFError("the last frame has no end"), self._where)
        return data

    def _decompress(self, data: bytes) -> bytes:
        self._started = True
        try:
            return self._frame.decompress(data)
        except self._error as error:
            raise _corrupt(error, self._where) from error


def parquet_rows(file: BinaryIO, size_bytes: int, field: str, where: str) -> Iterator[Row]:
    """Yields the field of every row, row group by row group.

    Raises InputError for a malformed file, and for a column that is missing or neither text nor binary.
    """
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        # buffer_size: read a column's pages as they are needed, not the whole column of a row group.
        table = parquet.ParquetFile(file, buffer_size=1 << 20)
        _check_column(table.schema_arrow, field, where)
        total = max(table.metadata.num_rows, 1)
        for batch in table.iter_batches(batch_size=1024, columns=[field]):
            for value in _binary(batch.column(0)).to_pylist():
                number += 1
                yield Row(number, value, size_bytes * number // total)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"is not readable parquet: {error}", "write it again", f"{where}:{number + 1}"
        ) from error


def _check_column(schema: Any, field: str, where: str) -> None:
    from pyarrow import types

    if field not in schema.names:
        raise InputError(f"has no column {field!r}", f"its columns are: {names(schema.names)}", where)
    kind = schema.field(field).type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    tests = (
        "is_string",
        "is_large_string",
        "is_string_view",
        "is_binary",
        "is_large_binary",
        "is_binary_view",
    )
    if not any(getattr(types, test, lambda _: False)(kind) for test in tests):
        raise InputError(f"the column {field!r} is {kind}, neither text nor binary", "name another", where)


def _binary(column: Any) -> Any:
    import pyarrow as pa

    plain = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
    return plain.cast(pa.large_binary())
