"""Counts files: counted in shards, merged in any order, trained on as if it were the documents."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokforge import _core
from tokforge.bpe import BpeConfig, count, merge_counts, train, train_from_files
from tokforge.bpe._counts_reference import read_counts_slow, write_counts_slow
from tokforge.errors import ConfigError, FormatError, InputError, OutputError

CONFIG = BpeConfig(preset="text", vocab_size=400)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(7):
        words = (f"w{(number + 3) * at % 61} the cat{at % 5}" for at in range(300))
        (folder / f"{number}.txt").write_text(" ".join(words) + "\n")
    return folder


@given(st.dictionaries(st.binary(min_size=1, max_size=40), st.integers(1, 2**63)), st.binary(max_size=50))
def test_the_engine_reads_what_the_twin_writes_and_the_other_way_round(
    words: dict[bytes, int], header: bytes
) -> None:
    written = write_counts_slow(words, header)
    files = _core.CountFiles([written])
    assert files.headers() == [header]
    assert files.items() == sorted(words.items())
    table = _core.WordCounts(_core.Splitter(["gpt2"]), 1)
    table.add_counts(list(words), list(words.values()))
    [back] = table.save_parts(1)
    assert back == write_counts_slow(words, b"")
    assert read_counts_slow(written) == (words, header)


@pytest.mark.parametrize("parts", [1, 3, 16])
def test_parts_hold_every_word_once(parts: int) -> None:
    words = {f"w{at}".encode(): at + 1 for at in range(500)}
    table = _core.WordCounts(_core.Splitter(["gpt2"]), 2)
    table.add_counts(list(words), list(words.values()))
    files = table.save_parts(parts)
    assert len(files) == parts
    assert sum(len(read_counts_slow(file)[0]) for file in files) == len(words)
    assert dict(_core.CountFiles(files).items()) == words


@pytest.mark.parametrize("shards", [1, 2, 7])
def test_shards_together_are_the_whole(corpus: Path, tmp_path: Path, shards: int) -> None:
    paths = [tmp_path / f"{shard}.counts" for shard in range(1, shards + 1)]
    for number, path in enumerate(paths, 1):
        count([corpus], path, CONFIG, shard=(number, shards))
    merged = merge_counts(paths[::-1], tmp_path / "all.counts")
    whole = count([corpus], tmp_path / "whole.counts", CONFIG)
    assert (merged.words, merged.bytes, merged.documents) == (whole.words, whole.bytes, 7)
    assert (tmp_path / "all.counts").read_bytes() == (tmp_path / "whole.counts").read_bytes()
    expected = train([corpus], CONFIG)
    for given_paths in (paths, [tmp_path / "all.counts"]):
        result = train_from_files(given_paths, CONFIG)
        assert result.tokenizer.merges == expected.tokenizer.merges
        assert (result.counts, result.corpus_tokens) == (expected.counts, expected.corpus_tokens)


def test_a_bound_on_memory_writes_the_same_file(corpus: Path, tmp_path: Path) -> None:
    count([corpus], tmp_path / "a", CONFIG)
    count([corpus], tmp_path / "b", BpeConfig(preset="text", memory_bytes=4_000_000_000))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_documented_header(corpus: Path, tmp_path: Path) -> None:
    count([corpus], tmp_path / "a", CONFIG)
    data = (tmp_path / "a").read_bytes()
    assert zlib.crc32(data[:-4]).to_bytes(4, "little") == data[-4:]
    _, header = read_counts_slow(data)
    about: dict[str, Any] = json.loads(header)
    assert about["stages"] == ["o200k"]
    assert set(about) == {"pretokenizer", "stages", "preset", "documents", "bytes"}


class TestRefusals:
    @pytest.fixture
    def counted(self, corpus: Path, tmp_path: Path) -> Path:
        count([corpus], tmp_path / "a.counts", CONFIG)
        return tmp_path / "a.counts"

    @pytest.mark.parametrize("shard", [(0, 3), (4, 3), (1, 0)])
    def test_impossible_shards(self, corpus: Path, tmp_path: Path, shard: tuple[int, int]) -> None:
        with pytest.raises(ConfigError, match="shard is"):
            count([corpus], tmp_path / "b", CONFIG, shard=shard)

    def test_more_shards_than_files(self, corpus: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="7 files for 8 shards"):
            count([corpus], tmp_path / "b", CONFIG, shard=(1, 8))

    def test_words_cut_differently(self, corpus: Path, counted: Path, tmp_path: Path) -> None:
        count([corpus], tmp_path / "b", BpeConfig(preset="text", pretokenizer="gpt2"))
        with pytest.raises(ConfigError, match="stages is"):
            merge_counts([counted, tmp_path / "b"], tmp_path / "c")
        with pytest.raises(ConfigError, match="the words were cut by o200k"):
            train_from_files([counted], BpeConfig(pretokenizer="gpt2", vocab_size=300))

    def test_unsplit_bytes(self, corpus: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no words to count"):
            count([corpus], tmp_path / "b", BpeConfig(preset="binary"))

    def test_an_output_that_exists(self, corpus: Path, counted: Path) -> None:
        with pytest.raises(OutputError, match="exists already"):
            count([corpus], counted, CONFIG)

    def test_files_that_are_damaged_or_none(self, counted: Path, tmp_path: Path) -> None:
        bad = tmp_path / "bad"
        whole = counted.read_bytes()
        for data in (b"", b"words\n", whole[:-1], whole + b"x", whole[:99] + b"?" + whole[100:]):
            bad.write_bytes(data)
            with pytest.raises((InputError, FormatError)):
                merge_counts([counted, bad], tmp_path / "c")
            assert not (tmp_path / "c").exists()
        bad.write_bytes(write_counts_slow({b"a": 1}, b"{}"))
        with pytest.raises(FormatError, match="does not say how words were cut"):
            train_from_files([bad])
