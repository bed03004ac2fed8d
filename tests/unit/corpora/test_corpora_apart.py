"""Near-duplicates of another corpus are named in the manifest, and then left out."""

import random

import pytest
from tokforge_corpora import apart, fetch, read_manifest

HEAD = 'name = "held"\nversion = "1"\n'


def noise(seed):
    return b"\x7fELF" + random.Random(seed).randbytes(30_000)


def test_left_out_is_written_before_the_items_and_kept_sorted():
    text = HEAD + "\n[[items]]\nclient = 1\n"
    once = apart.with_left_out(text, ["b" * 16])
    assert once == HEAD.rstrip() + f'\nleft_out = [\n    "{"b" * 16}",\n]\n\n[[items]]\nclient = 1\n'
    twice = apart.with_left_out(once, ["a" * 16])
    assert twice.index('"' + "a" * 16) < twice.index('"' + "b" * 16)
    assert twice.count("left_out") == 1


def test_near_duplicates_are_found_and_left_out(packages, corpus_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKFORGE_CACHE", str(tmp_path))
    first = noise(1)
    near = first[:15_000] + b"patched" + first[15_000:]
    held = {"held": ("held-1.0.whl", packages.zip({"near": near, "own": noise(2)}), {"group": "g"})}
    train = {"train": ("train-1.0.whl", packages.zip({"a": first}), {"group": "g"})}
    found = apart.near_duplicates(corpus_of(held), corpus_of(train))
    assert len(found) == 1
    corpus = fetch(corpus_of(held, left_out=found))
    assert [name for _, name, _ in corpus.documents()] == ["held/own"]
    assert corpus.stats.near_duplicates == 1


def test_a_wrong_call_is_one_line(capsys, tmp_path):
    assert apart.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
    (tmp_path / "m.toml").write_text("no manifest")
    assert apart.main([str(tmp_path / "m.toml"), "binaries-small"]) == 2
    with pytest.raises(Exception, match="cannot be read"):
        read_manifest(tmp_path / "m.toml")
