"""Reading: whole files, mapping, changes under way, progress, batches and samples."""

import io
import mmap
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tokforge.errors import InputError
from tokforge.inputs import Meter, batches, documents, open_sources, peek
from tokforge.inputs import reading as module


def test_a_file_is_a_document_never_its_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\ntwo\r\n\n")
    (tmp_path / "b").write_bytes(b"\0\xff")
    sources = open_sources([tmp_path, "-"], stdin=io.BytesIO(b"in\n"))
    read = [(d.source, d.path, d.row, bytes(d.data)) for d in documents(sources)]
    assert read == [
        (str(tmp_path), str(tmp_path / "a"), None, b"one\ntwo\r\n\n"),
        (str(tmp_path), str(tmp_path / "b"), None, b"\0\xff"),
        ("-", "-", None, b"in\n"),
    ]


def test_large_files_are_mapped(tmp_path: Path) -> None:
    data = bytes(range(256)) * (module.MAP_BYTES // 256)
    (tmp_path / "large").write_bytes(data)
    (tmp_path / "small").write_bytes(data[:-1])
    large, small = documents(open_sources([tmp_path]))
    assert isinstance(large.data, memoryview)
    assert isinstance(small.data, bytes)
    assert large.data.readonly
    assert large.data == data


def test_a_file_system_that_cannot_map_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(mmap, "mmap", refuse)
    monkeypatch.setattr(module, "MAP_BYTES", 2)
    (tmp_path / "f").write_bytes(b"abc")
    assert [d.data for d in documents(open_sources([tmp_path]))] == [b"abc"]


def grow(path: Path) -> None:
    path.write_bytes(b"longer than before")


def rewrite(path: Path) -> None:
    path.write_bytes(b"abd")
    os.utime(path, ns=(1, 1))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"abc")
    other.replace(path)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [grow, rewrite, replace, Path.unlink, to_folder])
def test_a_file_that_changes_before_it_is_read(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    sources = open_sources([path])
    change(path)
    with pytest.raises(InputError, match=r"changed since|cannot be read") as caught:
        list(documents(sources))
    assert caught.value.where == str(path)


def test_a_file_of_rows_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text('{"t": "a"}\n{"t": "b"}\n')
    reading = documents(open_sources([path], field="t"))
    next(reading)
    with path.open("a") as file:
        file.write('{"t": "c"}\n')
    with pytest.raises(InputError, match="changed since"):
        list(reading)


def test_progress_ends_at_the_total_and_may_stop_the_work(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    (tmp_path / "b").write_bytes(b"x" * 20)
    calls: list[tuple[str, int, int]] = []
    list(documents(open_sources([tmp_path]), progress=lambda *call: calls.append(call)))
    assert calls[-1] == ("read", 30, 30)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(documents(open_sources([tmp_path]), progress=stop))


def test_a_meter_reports_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    calls: list[int] = []
    meter = Meter(lambda phase, done, total: calls.append(done), "read", 1000)
    for position in range(1000):
        now[0] = position / 1000  # one second in all
        meter.at(position)
    assert 9 <= len(calls) <= 11


def test_batches_keep_order_and_their_bound() -> None:
    buffers = [bytes([i]) * 100 for i in range(50)]
    grouped = list(batches(buffers, batch_bytes=1000))
    assert [buffer for batch in grouped for buffer in batch] == buffers
    assert all(sum(map(len, batch)) < 1000 + 100 for batch in grouped)
    assert len(grouped) > 1
    assert list(batches([])) == []
    assert list(batches([b"large" * 9], batch_bytes=1)) == [[b"large" * 9]]


def test_peek_stands_for_bytes_not_files(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"B" * 9000)
    for i in range(10):
        (tmp_path / f"small{i}").write_bytes(b"s" * 100)
    samples = peek(open_sources([tmp_path])[0], size_bytes=50, files=10)
    assert sum(sample.share for sample in samples) == pytest.approx(1)
    assert samples[0].share == pytest.approx(0.9)
    assert all(len(sample.data) == 50 for sample in samples)


def test_peek_reads_the_first_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"t": "one"}\n{"t": null}\n{"t": "two"}\nbroken')
    (source,) = open_sources([tmp_path / "a.jsonl"], field="t")
    assert peek(source, size_bytes=6)[0].data == b"one\ntw"
    (source,) = open_sources(["-"], stdin=io.BytesIO(b"stdin"))
    assert peek(source, size_bytes=3)[0].data == b"std"
