"""Blocks give the ids of the whole, and character spans are Hugging Face's."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import AddedToken, Tokenizer, train_bpe
from tokforge.encoding import EncodeConfig, encode_files, encode_to_files, load_ids
from tokforge.errors import InputError
from tokforge.tokenizer import Pipeline, initial_bytes
from tokforge.tokenizer.edit import add_tokens
from tokforge.tokenizer.formats.hf_json import write_definition
from tokforge.tokenizer.streaming import blocks, can_stream, encode_stream, places

TEXT = (
    "The naïve café: 中文 and émigré words, again and again; 日本語 for you.\nA new line follows here.\n" * 4
)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    (folder / "a.txt").write_text(TEXT * 3)
    common = {"vocab_size": 400, "special_tokens": ("<|end|>",)}
    return {
        "text": train_bpe(folder / "a.txt", preset="text", **common),
        "binary": train_bpe(folder / "a.txt", preset="binary", **common),
        "regex": train_bpe(folder / "a.txt", preset="text", pretokenizer=r"\p{L}+|\s+", **common),
    }


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_PART_BYTES", 40)
    monkeypatch.setattr(places, "_LOOK_BACK", 32)


def blocks_of(data, cuts):
    return [data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)])]


@settings(max_examples=60)
@given(st.data())
@pytest.mark.parametrize("kind", ["text", "binary", "regex"])
def test_blocks_give_the_ids_of_the_whole(kind, tokenizers, data):
    tokenizer = tokenizers[kind]
    parts = st.sampled_from(["a", " and", "again", "é", "中", "\n", " ", ".", "<|end|>", TEXT[:80]])
    text = "".join(data.draw(st.lists(parts, max_size=60))).encode()
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    offsets = data.draw(st.booleans())
    done = list(encode_stream(tokenizer, iter(blocks_of(text, cuts)), offsets=offsets))
    ids, starts = tokenizer.encode_with_offsets(text)
    assert b"".join(one.data for one in done) == text
    assert np.concatenate([np.empty(0, np.uint32), *(one.ids for one in done)]).tolist() == ids.tolist()
    if offsets:
        sizes = np.cumsum([0, *(len(one.data) for one in done)])[:-1]
        got = [
            start + int(size) for one, size in zip(done, sizes, strict=True) for start in one.starts.tolist()
        ]
        assert got == starts.tolist()


letters = st.lists(st.sampled_from([b"a", b"b", b"ab"]), max_size=200).map(b"".join)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=20), letters, st.data())
def test_settled_tokens_stay_for_any_merges(pairs, text, data):
    """Merges in any order, parts made after their wholes among them, on runs where borders shift far."""
    tokens, merges = list(initial_bytes()), {}
    usable = [tokens.index(b"a"), tokens.index(b"b")]
    for left, right in pairs:
        pair = usable[left % len(usable)], usable[right % len(usable)]
        product = tokens[pair[0]] + tokens[pair[1]]
        if pair not in merges and len(product) < 8:
            if product not in tokens:
                usable.append(len(tokens))
                tokens.append(product)
            merges[pair] = tokens.index(product)
    tokenizer = Tokenizer.from_parts(
        tokens, [(*p, m) for p, m in merges.items()], pipeline=Pipeline("binary")
    )
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=30))
    done = list(encode_stream(tokenizer, iter(blocks_of(text, cuts))))
    assert [i for one in done for i in one.ids.tolist()] == tokenizer.encode(text).tolist()


def test_documents_stream_in_stretches(tokenizers):
    text = (TEXT * 20).encode()
    plain = add_tokens(tokenizers["text"], ["<tool>"], special=False).tokenizer  # searched for in the text
    for tokenizer in (tokenizers["text"], tokenizers["binary"], plain):
        assert can_stream(tokenizer)
        done = list(encode_stream(tokenizer, iter(blocks_of(text, range(1500, len(text), 1500)))))
        assert len(done) > 3
        assert [i for one in done for i in one.ids.tolist()] == tokenizer.encode(text).tolist()
    assert not can_stream(tokenizers["regex"])


def test_an_added_token_that_a_border_could_cut_is_not_streamed(tokenizers):
    tokenizer = tokenizers["text"]
    for more in ({"text": "a b"}, {"text": "<x>", "lstrip": True}):
        size = tokenizer.vocab_size
        grown = Tokenizer.from_parts(
            [*tokenizer.table.ordinary(), None],
            tokenizer.merges,
            pipeline=tokenizer.pipeline,
            added_tokens=[*tokenizer.added_tokens, AddedToken(id=size, special=False, **more)],
        )
        assert not can_stream(grown)
        assert grown.encode(b"a b").tolist() == next(encode_stream(grown, [b"a", b" b"])).ids.tolist()


@settings(max_examples=100)
@given(text=st.text(st.sampled_from("ab é中😀\u0301\n ßİ"), max_size=30))
def test_character_spans_are_hugging_faces(tokenizers, text):
    from tokenizers import Tokenizer as HuggingFace

    tokenizer = tokenizers["text"]
    theirs = HuggingFace.from_str(write_definition(tokenizer.definition).decode())
    expected = theirs.encode(text, add_special_tokens=False)
    ids, spans = tokenizer.encode_spans(text, unit="characters")
    assert ids.tolist() == expected.ids
    assert list(map(tuple, spans.tolist())) == expected.offsets
    ids, spans = tokenizer.encode_spans(text)
    raw = text.encode()
    assert [raw[a:b] for a, b in spans.tolist()] == [tokenizer.token_bytes(i) for i in ids.tolist()]


def test_characters_of_bytes_that_are_no_text_are_refused(tokenizers, tmp_path):
    with pytest.raises(InputError, match="byte 2 is not UTF-8"):
        tokenizers["text"].encode_spans(b"ab\xff", unit="characters")
    (tmp_path / "a").write_bytes(b"abc\xc3")
    with pytest.raises(InputError, match="byte 3 is not UTF-8"):
        encode_files(tokenizers["text"], [tmp_path / "a"], EncodeConfig(characters=True))


@pytest.mark.parametrize("kind", ["text", "binary", "regex"])
def test_long_files_and_standard_input_equal_the_whole(kind, tokenizers, tmp_path, monkeypatch):
    monkeypatch.setattr("tokforge.encoding.reading.STREAM_BYTES", 1000)
    monkeypatch.setattr("tokforge.encoding.reading.BLOCK_BYTES", 700)
    tokenizer, data = tokenizers[kind], (TEXT * 6).encode()
    (tmp_path / "long").write_bytes(data)
    (tmp_path / "short").write_bytes(data[:300])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    config = EncodeConfig(offsets=True, characters=True, threads=2, window=100)
    files = [tmp_path / "short", tmp_path / "long", "-", tmp_path / "short"]
    figures, written = encode_to_files(tokenizer, files, tmp_path / "ids.npy", config)
    bounds = np.load(written["boundaries"], allow_pickle=False).tolist()
    arrays = {name: np.load(written[name], allow_pickle=False) for name in ("ids", "offsets", "characters")}
    for (start, end), doc in zip(pairwise(bounds), [data[:300], data, data, data[:300]], strict=True):
        ids, offsets = tokenizer.encode_with_offsets(doc)
        assert arrays["ids"][start:end].tolist() == ids.tolist()
        assert arrays["offsets"][start:end].tolist() == offsets.tolist()
        spans = tokenizer.encode_spans(doc, unit="characters")[1]
        assert arrays["characters"][start:end].tolist() == spans.tolist()
    assert [file.bytes for file in figures.files] == [300, len(data), len(data), 300]


@pytest.mark.parametrize("dtype", ["uint16", "int32", "uint32", "int64", None])
def test_raw_ids_come_back_by_their_index(dtype, tokenizers, tmp_path):
    (tmp_path / "a").write_text(TEXT)
    tokenizer, path = tokenizers["text"], tmp_path / "train.bin"
    _, written = encode_to_files(tokenizer, [tmp_path / "a"] * 2, path, EncodeConfig(dtype=dtype))
    assert sorted(written) == ["ids", "index"]
    expected = tokenizer.encode(TEXT).tolist() * 2
    assert np.fromfile(path, np.dtype(dtype or "uint16").newbyteorder("<")).tolist() == expected
    assert load_ids(path, tokenizer.vocab_size).tolist() == expected
    (tmp_path / "train.index.json").unlink()
    with pytest.raises(InputError, match="give --dtype"):
        load_ids(path, tokenizer.vocab_size)
    assert load_ids(path, tokenizer.vocab_size, dtype or "uint16").tolist() == expected
