"""Rows: jsonl, its compressed forms, and parquet; well formed, malformed and hostile."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from tokforge.errors import InputError
from tokforge.inputs import _rows, documents, open_sources

ROWS = ["plain", "two\nlines", "é漢😀", "x" * 100_000, "\0nul"]


def read(path: Path, field: str = "text") -> list[bytes]:
    return [bytes(document.data) for document in documents(open_sources([path], field=field))]


def lines(rows: list[str]) -> bytes:
    return b"".join(json.dumps({"id": i, "text": row}).encode() + b"\n" for i, row in enumerate(rows))


def zstd_frames(data: bytes) -> bytes:
    """Three frames, one of them skippable."""
    compress = zstandard.ZstdCompressor().compress
    return compress(data[:50]) + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + compress(data[50:])


WRITERS = {
    ".jsonl": lambda data: data,
    ".jsonl.gz": gzip.compress,
    ".jsonl.zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_row_is_a_document(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(WRITERS[suffix](lines(ROWS)))
    assert read(path) == [row.encode() for row in ROWS]


def test_members_and_frames_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS)[:50]) + gzip.compress(lines(ROWS)[50:]))
    assert read(path) == [row.encode() for row in ROWS]
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstd_frames(lines(ROWS)))
    assert read(path) == [row.encode() for row in ROWS]


def test_line_forms_that_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "bom"}\r\n\r\n  \n{"text": "no end of line"}')
    assert read(path) == [b"bom", b"no end of line"]


def test_rows_carry_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "a"}\n\n{"text": "b"}\n')
    found = [(d.path, d.row) for d in documents(open_sources([path], field="text"))]
    assert found == [(str(path), 2), (str(path), 4)]


def test_empty_and_null_rows_are_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": ""}\n{"text": null}\n{"text": "x"}\n{"text": null}\n')
    sources = open_sources([tmp_path], field="text")
    for _ in range(2):
        assert [d.data for d in documents(sources)] == [b"x"]
        assert [remark.reason for remark in sources[0].skipped] == ["2 rows are null", "1 rows are empty"]


def test_a_source_of_empty_rows_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": ""}\n')
    with pytest.raises(InputError, match="all of its rows are empty or null"):
        read(tmp_path / "a.jsonl")


def test_lone_surrogates_are_kept_and_reported(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(r'{"text": "a\ud800b"}' + "\n" + r'{"text": "\ud83d\ude00"}')
    sources = open_sources([tmp_path], field="text")
    assert [d.data for d in documents(sources)] == [b"a\xed\xa0\x80b", "😀".encode()]
    assert [w.reason for w in sources[0].warnings] == [
        "1 rows hold lone surrogates, kept as three bytes each"
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "x"', "is not JSON: Expecting ',' delimiter at column 13; mend"),
        (b"\xff", "is not JSON: 'utf-8' codec"),
        (b'{"text": "\xed\xa0\x80"}', "is not JSON: 'utf-8' codec"),
        (b"[]", "is a JSON list, not an object"),
        (b"null", "is a JSON NoneType, not an object"),
        (b'"text"', "is a JSON str, not an object"),
        (b'{"body": "x", "id": 1}', "no field 'text'; its fields are: body, id"),
        (b"{}", "its fields are: none"),
        (b'{"text": 5}', "is a int, not a string"),
        (b'{"text": ["x"]}', "is a list, not a string"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"text": ' + b"9" * 5000 + b"}", "is not JSON: Exceeds the limit"),
        (b"{" + b",".join(b'"k%d": 1' % i for i in range(30)) + b"}", "k19, and 10 more$"),
        (rb'{"\ud800\n": 1}', r"its fields are: \\ud800\\n$"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "fine"}\n\n' + line + b'\n{"text": "after"}\n')
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert caught.value.where == f"{path}:3"


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_every_truncation_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    whole = WRITERS[suffix](lines(ROWS[:3]))
    for size in range(1, len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="truncated or corrupt"):
            read(path)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_garbage_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    for data in (b"not compressed at all", WRITERS[suffix](lines(ROWS)) + b"trailing"):
        path.write_bytes(data)
        with pytest.raises(InputError, match="truncated or corrupt"):
            read(path)


def test_a_zstd_window_beyond_the_cap_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(writer.compress(lines(ROWS)) + writer.flush())
    with pytest.raises(InputError, match="too much memory"):
        read(path)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_a_bomb_is_refused_and_plain_lines_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(_rows, "MAX_COMPRESSED_ROW_BYTES", 1000)
    bomb = lines(["fine", "x" * 2000])
    path = tmp_path / f"a{suffix}"
    path.write_bytes(WRITERS[suffix](bomb))
    with pytest.raises(InputError, match="expands to more than 1000 bytes") as caught:
        read(path)
    assert caught.value.where == f"{path}:2"
    plain = tmp_path / "a.jsonl"
    plain.write_bytes(bomb)
    assert len(read(plain)) == 2


PARQUET_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.large_binary(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.string_view(),
]


@pytest.mark.parametrize("kind", PARQUET_TYPES, ids=str)
def test_parquet_columns(tmp_path: Path, kind: pa.DataType) -> None:
    values: list[str | None] = [*ROWS, None, ""] * 3
    column = pa.array(values, pa.string()).cast(kind)
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": range(len(values)), "text": column}), path, row_group_size=4)
    sources = open_sources([path], field="text")
    found = [(d.row, d.data) for d in documents(sources)]
    assert found == [(n, value.encode()) for n, value in enumerate(values, 1) if value]
    assert [r.reason for r in sources[0].skipped] == ["3 rows are null", "3 rows are empty"]


def test_parquet_binary_is_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": [b"\xff\0", b"\x80"]}), path)
    assert read(path) == [b"\xff\0", b"\x80"]


def test_parquet_columns_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": [1], "rows": [["x"]]}), path)
    with pytest.raises(InputError, match="no column 'text'; its columns are: id, rows"):
        read(path)
    with pytest.raises(InputError, match="'id' is int64, neither text nor binary"):
        read(path, "id")
    with pytest.raises(InputError, match="neither text nor binary"):
        read(path, "rows")


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": ROWS}), path)
    whole = path.read_bytes()
    for data in (b"PAR1", b"no parquet", whole[:-10], whole[10:], whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="not readable parquet"):
            read(path)


def test_rows_and_whole_files_mix(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(["row"]))
    (tmp_path / "b.txt").write_text("whole")
    assert read(tmp_path) == [b"row", b"whole"]
