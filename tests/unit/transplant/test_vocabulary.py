"""Keys, pieces and alignment over the spellings of the field."""

import json

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from tokforge.transplant import Vocabulary, align
from tokforge.transplant.pieces import continuing_pieces


def saved(path, tokenizer, specials=()):
    tokenizer.add_special_tokens(list(specials))
    tokenizer.save(str(path))
    return Vocabulary.load(path)


@pytest.fixture
def byte_level(tmp_path):
    vocab = {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "Ġab": 5, "Ã": 6, "¤": 7, "Ã¤": 8}
    model = models.BPE(vocab, [("a", "b"), ("Ġ", "ab"), ("Ã", "¤")])
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return saved(tmp_path / "bytes.json", tokenizer, ["<s>", "</s>"])


@pytest.fixture
def metaspace(tmp_path):
    vocab = {
        "<unk>": 0,
        "<s>": 1,
        "</s>": 2,
        "<0xC3>": 3,
        "<0xA4>": 4,
        "▁": 5,
        "a": 6,
        "b": 7,
        "c": 8,
        "ab": 9,
        "▁ab": 10,
    }
    tokenizer = Tokenizer(models.BPE(vocab, [("a", "b"), ("▁", "ab")], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return saved(tmp_path / "meta.json", tokenizer, ["<unk>", "<s>", "</s>"])


@pytest.fixture
def wordpiece(tmp_path):
    vocab = {
        "[PAD]": 0,
        "[UNK]": 1,
        "[CLS]": 2,
        "[SEP]": 3,
        "a": 4,
        "##b": 5,
        "ab": 6,
        "##c": 7,
        ",": 8,
        "##ab": 9,
    }
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return saved(tmp_path / "wordpiece.json", tokenizer, ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])


def test_one_key_over_all_spellings(byte_level, metaspace, wordpiece):
    assert [one.spelling for one in (byte_level, metaspace, wordpiece)] == ["bytes", "metaspace", "wordpiece"]
    assert [one.index[b" ab"] for one in (byte_level, metaspace, wordpiece)] == [5, 10, 6]
    assert [one.index[b"ab"] for one in (byte_level, metaspace, wordpiece)] == [4, 9, 9]
    assert wordpiece.index[b","] == wordpiece.index[b" ,"] == 8


def test_pieces_stand_in_their_place(byte_level, metaspace, wordpiece):
    keys = [b" ab", b"ab", b"abc", b" abc", b"\xc3", "ä".encode()]
    assert byte_level.pieces(keys) == [[5], [4], [4, 2], [5, 2], [6], [8]]
    assert metaspace.pieces(keys) == [[10], [9], [9, 8], [10, 8], [3], [3, 4]]
    assert wordpiece.pieces(keys[:4]) == [[6], [9], [9, 7], [6, 7]]
    assert wordpiece.pieces([b" zz", b"zz", b"\xff"]) == [[], [], []]


def test_copies_specials_roles_and_case(byte_level, metaspace, wordpiece, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    old = Vocabulary.load(tmp_path / "meta.json")
    alignment = align(old, Vocabulary.load(tmp_path / "bytes.json"), 16, multiple_of=16)
    assert alignment.rows == 16 and alignment.counts()["padded"] == 5
    assert alignment.origins[[5, 4, 6, 9, 10]].tolist() == [10, 9, 3, 1, 2]
    assert alignment.classes[8] == "composed" and alignment.pieces[8] == (3, 4)
    assert alignment.idle.tolist() == [11, 12, 13, 14, 15]
    mapped = align(old, byte_level, 11, mapping={"<s>": "␣ab"})
    assert mapped.origins[9] == 10 and mapped.classes[9] == "mapped"
    assert wordpiece.normalized(b" AB") == b" ab"


def test_continuing_pieces_take_the_longest():
    assert continuing_pieces(b"abab", {b"ab": 1, b"a": 2, b"b": 3, b"aba": 4}) == [4, 3]
    assert continuing_pieces(b"ax", {b"a": 1}) == []
