"""Byte-level vocabularies without some of the 256 bytes, as SmolLM2's: Hugging Face drops such a byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as HuggingFace

from tokforge import Tokenizer, compare, errors, lint
from tokforge.metrics.inspect import inspect_tokenizer
from tokforge.tokenizer.edit import prune
from tokforge.tokenizer.files import read_tokenizer
from tokforge.tokenizer.formats.byte_alphabet import spell

MISSING = b"\x04Z\xc0"


def files(folder, *, ignore_merges=False):
    """Writes a tokenizer.json without `MISSING`; returns its path and Hugging Face's tokenizer."""
    texts = [bytes((value,)) for value in range(256) if value not in MISSING] + [b"ab", b"abc", b"aZb"]
    vocab = {spell(text): token_id for token_id, text in enumerate(texts)}
    theirs = HuggingFace(models.BPE(vocab, [("a", "b"), ("ab", "c")], ignore_merges=ignore_merges))
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" ?[a-zA-Z\\x04]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    theirs.decoder = decoders.ByteLevel()
    theirs.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json", theirs


@pytest.fixture(scope="module", params=[False, True], ids=["merges", "whole"])
def pair(request, tmp_path_factory):
    path, theirs = files(tmp_path_factory.mktemp("missing"), ignore_merges=request.param)
    return Tokenizer.load(path), theirs


@given(text=st.text("abcZ\x04 é", max_size=12) | st.text(max_size=6))
def test_ids_are_hugging_faces(pair, text):
    ours, theirs = pair
    assert ours.encode(text).tolist() == theirs.encode(text).ids


def test_neighbours_of_a_lost_byte_merge(pair):
    ours, _ = pair
    ids, spans = ours.encode_spans("a\x04bcZ Z")
    assert [ours.token_bytes(i) for i in ids.tolist()] == [b"abc", b" "]
    assert spans.tolist() == [[0, 4], [5, 6]]
    assert ours.decode(ids) == b"abc "


def test_inspect_and_the_notes_of_the_file_say_so(tmp_path):
    path = files(tmp_path)[0]
    loaded = read_tokenizer(path)
    assert inspect_tokenizer(loaded.tokenizer).missing_bytes == ("0x04", "0x5A", "0xC0")
    assert loaded.notes == ("3 bytes have no token and are lost from text: 0x04 0x5A 0xC0",)


def test_a_whole_token_may_hold_one(tmp_path):
    ours = Tokenizer.load(files(tmp_path, ignore_merges=True)[0])
    ids, spans = ours.encode_spans("aZb")
    assert [ours.token_bytes(i) for i in ids.tolist()] == [b"aZb"]
    assert spans.tolist() == [[0, 3]]


def test_it_is_saved_and_loaded_again(tmp_path):
    ours = Tokenizer.load(files(tmp_path)[0])
    assert Tokenizer.load(ours.save(tmp_path / "again.json")).definition == ours.definition


def test_lint_and_compare_take_it(tmp_path):
    path, _ = files(tmp_path)
    assert "L09" in {finding.rule for finding in lint(path).findings}
    (tmp_path / "text").write_text("abc Z\x04 abc\n")
    assert compare([path], [tmp_path / "text"]).as_dict()


def test_what_needs_all_bytes_says_so(tmp_path):
    ours = Tokenizer.load(files(tmp_path)[0])
    with pytest.raises(errors.FormatError, match="3 of the 256 byte tokens are missing, first 0x04"):
        prune(ours, {b"abc": 1}, vocab_size=254)


def test_an_unknown_token_would_take_its_place(tmp_path):
    path, _ = files(tmp_path)
    content = json.loads(path.read_text())
    content["model"]["unk_token"] = "ab"
    path.write_text(json.dumps(content))
    with pytest.raises(errors.FormatError, match=r"unk_token: .* 3 bytes have no token"):
        Tokenizer.load(path)
