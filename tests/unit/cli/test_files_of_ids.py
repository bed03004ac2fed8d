"""Files to ids and back: arrays, windows, and everything that is not a file of ids."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokforge.encoding import (
    DecodeResult,
    EncodeConfig,
    EncodeResult,
    decode_file,
    encode_files,
    encode_to_files,
    load_ids,
)
from tokforge.errors import ConfigError, InputError, TokenIdError, UnknownNameError


class Halves:
    """Each byte is two tokens, so that offsets repeat and positions differ from bytes."""

    def __init__(self, vocab_size: int = 256) -> None:
        self.vocab_size = vocab_size

    def encode(self, data: bytes, *, allowed_special: str) -> Any:
        return np.repeat(np.frombuffer(data, np.uint8).astype(np.uint32), 2)

    def encode_with_offsets(self, data: bytes, *, allowed_special: str) -> Any:
        return self.encode(data, allowed_special=allowed_special), np.repeat(
            np.arange(len(data), dtype=np.uint64), 2
        )

    def tiles(self, data: bytes | None = None) -> bool:
        return True

    def decode(self, ids: Any) -> bytes:
        return bytes(ids[::2].astype(np.uint8))


def placed(contents: list[bytes], folder: Path) -> list[Path]:
    paths = [folder / f"{at}.bin" for at in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def encoded(contents: list[bytes], folder: Path, vocab_size: int = 256, **options: Any) -> EncodeResult:
    return encode_files(Halves(vocab_size), placed(contents, folder), EncodeConfig(**options))  # type: ignore[arg-type]


def saved(contents: list[bytes], folder: Path, name: str = "ids.npy", **options: Any) -> dict[str, str]:
    paths, config = placed(contents, folder), EncodeConfig(**options)
    return encode_to_files(Halves(), paths, folder / name, config)[1]  # type: ignore[arg-type]


def windows_slow(lengths: list[int], window: int, stride: int) -> Iterator[list[int]]:
    """The definition, one window after the other."""
    base = 0
    for length in lengths:
        start = 0
        while length:
            yield [base + start, base + min(start + window, length)]
            if start + window >= length:
                break
            start += stride
        base += length


@given(
    contents=st.lists(st.binary(max_size=20), min_size=1, max_size=5),
    window=st.integers(1, 12),
    overlap=st.integers(0, 11),
    threads=st.integers(1, 3),
)
def test_nothing_is_lost_and_nothing_crosses_a_file(
    contents: list[bytes], window: int, overlap: int, threads: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stride = max(1, window - overlap)
    folder = tmp_path_factory.mktemp("ids")
    result = encoded(contents, folder, window=window, stride=stride, offsets=True, threads=threads)
    bounds = result.boundaries
    assert result.offsets is not None
    for at, content in enumerate(contents):
        part = slice(int(bounds[at]), int(bounds[at + 1]))
        assert Halves().decode(result.ids[part]) == content
        assert result.offsets[part].tolist() == [i // 2 for i in range(2 * len(content))]
    assert result.windows().tolist() == list(windows_slow([2 * len(c) for c in contents], window, stride))


def test_arrays_are_plain_npy_files(tmp_path: Path) -> None:
    written = saved([b"ab", b"", b"c"], tmp_path, window=3, offsets=True)
    assert sorted(written) == ["boundaries", "ids", "offsets", "windows"]
    arrays = {name: np.load(path, allow_pickle=False) for name, path in written.items()}
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        "ids": "uint16",
        "boundaries": "uint64",
        "offsets": "uint64",
        "windows": "int64",
    }
    assert arrays["ids"].tolist() == [97, 97, 98, 98, 99, 99]
    assert arrays["boundaries"].tolist() == [0, 4, 4, 6]
    assert arrays["windows"].tolist() == [[0, 3], [3, 4], [4, 6]]


@pytest.mark.parametrize(("vocab_size", "dtype"), [(65536, np.uint16), (65537, np.uint32)])
def test_ids_are_as_narrow_as_the_vocabulary_allows(vocab_size: int, dtype: type, tmp_path: Path) -> None:
    assert encoded([b"a"], tmp_path, vocab_size).ids.dtype == dtype


def test_an_empty_file_has_no_rate(tmp_path: Path) -> None:
    result = encoded([b""], tmp_path)
    assert result.as_dict()["bytes_per_token"] is None
    assert np.load(saved([b""], tmp_path)["ids"]).shape == (0,)


@pytest.mark.parametrize(
    "options",
    [{"stride": 1}, {"window": 0}, {"window": 2, "stride": 3}, {"window": 2, "stride": 0}, {"threads": 0}],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        EncodeConfig(**options)  # type: ignore[arg-type]


def test_an_unknown_way_with_specials_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="use one of: all, none"):
        EncodeConfig(special="some")


@pytest.mark.parametrize("name", ["missing", "folder", "a\0b"])
def test_what_cannot_be_read_is_refused_before_anything_is_encoded(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        encode_files(Halves(), [tmp_path / name])  # type: ignore[arg-type]
    assert caught.value.where == str(tmp_path / name)


def test_progress_counts_bytes_and_may_stop(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"de")
    told: list[tuple[str, int, int]] = []
    encode_files(Halves(), [tmp_path / "a", tmp_path / "b"], progress=lambda *report: told.append(report))  # type: ignore[arg-type]
    assert told == [("encode", 3, 5), ("encode", 5, 5)]


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def not_ids(folder: Path) -> dict[str, Any]:
    """Makes files that are no ids; returns the beginning of the message for each."""
    np.save(folder / "float.npy", np.array([1.0]))
    np.save(folder / "bool.npy", np.array([True]))
    np.save(folder / "flat.npy", np.array(1))
    np.save(folder / "deep.npy", np.array([[1]]))
    np.savez(folder / "archive.npy", a=np.array([1]))
    (folder / "archive.npy.npz").rename(folder / "archive.npy")
    (folder / "empty.npy").touch()
    (folder / "text.npy").write_text("1 2 3")
    (folder / "pickle.npy").write_bytes(pickle.dumps(Trap(folder / "hacked")))
    np.save(folder / "objects.npy", np.array([Trap(folder / "hacked")], object), allow_pickle=True)
    whole = (folder / "float.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:-1])
    (folder / "torn.npy").write_bytes(whole.replace(b"(1,), }", b"(1,,,((("))
    (folder / "nested.npy").write_bytes(whole.replace(b"(1,), }" + b" " * 40, b"(" * 47))
    with (folder / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<i8", "fortran_order": False, "shape": (10**12,)}
        )
        file.write(bytes(80))
    return {
        "float": "holds 1 dimensions of float64",
        "bool": "holds 1 dimensions of bool",
        "flat": "holds 0 dimensions of int64",
        "deep": "holds 2 dimensions of int64",
        "archive": "holds an archive",
    }


def test_nothing_but_ids_is_read_and_nothing_is_unpickled(tmp_path: Path) -> None:
    messages = not_ids(tmp_path)
    files = sorted(tmp_path.glob("*.npy"))
    assert len(files) == 13
    for path in files:
        with pytest.raises(InputError) as caught:
            load_ids(path, 256)
        assert caught.value.problem == messages.get(path.stem, "is no complete .npy file of numbers")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(("ids", "at"), [([0, 255, 256], 2), ([-1, 999], 0)])
def test_an_id_out_of_range_is_named_with_its_position(ids: list[int], at: int, tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array(ids))
    with pytest.raises(TokenIdError, match=f"id {ids[at]} at position {at} is not below 256"):
        load_ids(tmp_path / "ids.npy", 256)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i8", ">i8", "<u8"])
def test_any_integer_type_is_read(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array([1, 200], dtype))
    assert load_ids(tmp_path / "ids.npy", 256).tolist() == [1, 200]


def test_decoding_gives_the_bytes_and_their_figures(tmp_path: Path) -> None:
    saved([b"ab", b"c"], tmp_path)
    result = decode_file(Halves(), tmp_path / "ids.npy")  # type: ignore[arg-type]
    assert result == DecodeResult(data=b"abc", tokens=6, seconds=result.seconds)
    assert result.as_dict() == {"bytes": 3, "tokens": 6, "bytes_per_token": 0.5, "seconds": result.seconds}
