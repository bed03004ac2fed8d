"""The vocabularies that ship: their file, their names, and what the names may be mistaken for."""

from pathlib import Path

import pytest

from tokforge import Tokenizer
from tokforge.bpe import train_bpe
from tokforge.errors import ConfigError, FormatError
from tokforge.tokenizer.released import RELEASED, RELEASED_FILE, pack, unpack


@pytest.fixture
def small(tmp_path):
    (tmp_path / "data").write_bytes(b"aaaa" * 40 + bytes(range(256)) * 3 + b"\x7fELF\x02\x01\x01" * 30)
    return train_bpe(tmp_path / "data", vocab_size=300, preset="binary")


def test_pack_and_unpack_are_inverse(small):
    data = pack(small, {"notes": ["made up"]})
    back = unpack(data, "x")
    assert back.fingerprint == small.fingerprint
    assert back.provenance == {"notes": ["made up"]}
    assert pack(back, back.provenance) == data


def test_damage_is_a_format_error(small):
    data = pack(small, {})
    for bad in (b"", b"{}\n", data[:-1], data[:-1] + b"\xff", data.replace(b"merges 1", b"merges 2")):
        with pytest.raises(FormatError, match="install tokforge again"):
            unpack(bad, "x")


def test_only_unsplit_bytes_are_packed(tmp_path):
    (tmp_path / "t").write_text("some text " * 50)
    with pytest.raises(ConfigError, match="more than bytes and their merges"):
        pack(train_bpe(tmp_path / "t", vocab_size=270, preset="text"), {})


def test_released_sizes_are_prefixes_of_one_file():
    sizes = {name: Tokenizer.load(name) for name in RELEASED}
    whole = sizes["binary-64k"]
    assert RELEASED_FILE.stat().st_size < 1_000_000
    data = Path("/proc/self/exe").read_bytes()[:200_000] if Path("/proc/self/exe").exists() else bytes(9999)
    for name, tokenizer in sizes.items():
        assert tokenizer.vocab_size == RELEASED[name]
        assert tokenizer.merges == whole.merges[: len(tokenizer.merges)]
        assert tokenizer.decode(tokenizer.encode(data)) == data
        assert "binaries-large" in tokenizer.provenance["notes"][0]


def test_a_file_of_that_name_hides_nothing(tmp_path, monkeypatch, small):
    monkeypatch.chdir(tmp_path)
    small.save(Path("binary-4k"))
    with pytest.raises(ConfigError, match="a released vocabulary and a file of this folder") as caught:
        Tokenizer.load("binary-4k")
    assert "released:binary-4k" in caught.value.hint
    assert Tokenizer.load(tmp_path / "binary-4k").vocab_size == 300
    assert Tokenizer.load("released:binary-4k").vocab_size == 4096


def test_an_unknown_released_name():
    with pytest.raises(ConfigError, match="there is no released 'binary-5k'; use one of: binary-4k"):
        Tokenizer.load("released:binary-5k")
