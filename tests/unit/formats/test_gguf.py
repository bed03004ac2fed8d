"""Vocabularies of GGUF files whose rules are llama.cpp's own: Gemma 4's model, fillers, named splitters.

Equality with llama.cpp itself on real vocabularies is measured by `python -m benches oracle-llama`.
"""

import json

import pytest
import small_files as small
from tokenizers import Tokenizer as HuggingFace
from tokenizers import models, normalizers

from tokforge import Tokenizer, errors
from tokforge.tokenizer._engine import make_splitter
from tokforge.tokenizer.formats.gguf_splitters import PRETOKENIZERS
from tokforge.tokenizer.formats.reading import SourceFile
from tokforge.tokenizer.formats.registry import FORMATS
from tokforge.tokenizer.model import Pipeline

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
TEXTS = ("", "a b", "ab abc", "\n\n\na b", "abc\n\nab", "é\U0001f600a", "<pad>", "<tool>a<tool>", "a  b")


def read(data):
    return FORMATS["gguf"].read(SourceFile("any.gguf", "any.gguf", data))


def named(text):
    return small.struct.pack("<I", 8) + small.string(text)


def gemma4(**more):
    merges = [("\n", "\n"), ("a", "b"), ("\u2581", "ab"), ("\n\n", "\n"), ("ab", "c")]
    entries = [("<pad>", CONTROL), ("<unk>", CONTROL), ("<tool>", USER_DEFINED)]
    entries += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    entries += [
        (text, NORMAL) for text in ("\u2581", "\n", "a", "b", "c", "\n\n", "ab", "\u2581ab", "\n\n\n", "abc")
    ]
    pairs = {
        "tokenizer.ggml.model": named("gemma4"),
        "tokenizer.ggml.tokens": small.strings([text for text, _ in entries]),
        "tokenizer.ggml.token_type": small.numbers([kind for _, kind in entries]),
        "tokenizer.ggml.merges": small.strings([" ".join(pair) for pair in merges]),
        "tokenizer.ggml.padding_token_id": small.struct.pack("<II", 4, 0),
    }
    return (
        entries,
        merges,
        small.gguf(pairs | {f"tokenizer.ggml.{key}": value for key, value in more.items()}),
    )


def test_gemma4_gives_the_ids_of_its_tokenizer_json():
    entries, merges, data = gemma4()
    ours = Tokenizer(read(data).definition)
    vocab = {text: number for number, (text, _) in enumerate(entries)}
    theirs = HuggingFace(models.BPE(vocab, merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    theirs.normalizer = normalizers.Replace(" ", "\u2581")
    theirs.add_special_tokens(["<pad>"])
    theirs.add_tokens(["<tool>"])
    theirs.encode_special_tokens = True
    for text in TEXTS:
        assert ours.encode(text).tolist() == theirs.encode(text, add_special_tokens=False).ids, text
        assert ours.decode(ours.encode(text)).decode() == text
    assert ours.role("pad").text == "<pad>"


def test_gemma4_needs_its_bytes():
    entries, _, _ = gemma4()
    types = small.numbers([NORMAL if kind == BYTE else kind for _, kind in entries])
    with pytest.raises(errors.FormatError, match="0 of the 256 byte tokens"):
        read(gemma4(token_type=types)[2])
    texts = [text.replace("<0x41>", "<0xA>") for text, _ in entries]
    with pytest.raises(errors.FormatError, match=r"tokens\[68\]: '<0xA>' is of type byte"):
        read(gemma4(tokens=small.strings(texts))[2])


def test_fillers_of_type_unknown_are_no_unknown_tokens():
    texts = ["<unk>", "a", "b", "ab", "[PAD4]", "[PAD5]"]
    pairs = {
        "tokenizer.ggml.model": named("llama"),
        "tokenizer.ggml.tokens": small.strings(texts),
        "tokenizer.ggml.scores": small.numbers([0.0, -1.0, -2.0, -3.0, 0.0, 0.0], 6, "f"),
        "tokenizer.ggml.token_type": small.numbers([CONTROL, NORMAL, NORMAL, NORMAL, UNKNOWN, UNKNOWN]),
        "tokenizer.ggml.add_space_prefix": small.struct.pack("<IB", 7, 0),
    }
    with pytest.raises(errors.FormatError, match="2 pieces are of type unknown"):
        read(small.gguf(pairs))
    unknown = {"tokenizer.ggml.unknown_token_id": small.struct.pack("<II", 4, 0)}
    ours = Tokenizer(read(small.gguf(pairs | unknown)).definition)
    assert ours.encode("abz").tolist() == [3, 0]


def test_a_token_outside_the_alphabet_is_no_token_where_all_bytes_have_one():
    vocab, _ = small.vocab_and_merges()
    tokens = [key for key, _ in sorted(json.loads(vocab).items(), key=lambda item: item[1])]
    kinds = [NORMAL] * (len(tokens) - 1) + [CONTROL, NORMAL]
    more = {
        "tokenizer.ggml.tokens": small.strings([*tokens, "\u203c"]),
        "tokenizer.ggml.token_type": small.numbers(kinds),
    }
    plain, reading = read(small.gguf()), read(small.gguf(small.gguf_pairs() | more))
    assert reading.notes[0].startswith("1 tokens are outside the byte alphabet")
    assert reading.definition.table.kinds[-1] == "unused"
    ours, before = Tokenizer(reading.definition), Tokenizer(plain.definition)
    assert ours.encode("hello \u203c").tolist() == before.encode("hello \u203c").tolist()


def pieces(name, text):
    data = text.encode()
    cuts = make_splitter(Pipeline("text", PRETOKENIZERS[name][0])).split(data)
    return [data[start:end].decode() for start, end in cuts]


# deepseek-llm's class `:-~` holds the letters of ASCII, too, so they are cut from letters with accents.
SPLITS = {
    "deepseek-llm": (
        "Hi, été 12x\n\n 中文字 end  ",
        ["Hi", ",", " é", "t", "é", " ", "12", "x", "\n", "\n", " ", "中文字", " end", "  "],
    ),
    "deepseek-coder": ("int x1 = 12;\n", ["int", " x", "1", " = ", "1", "2", ";", "\n"]),
    "falcon": ("a<=b 12345 'tis", ["a", "<=", "b", " ", "123", "45", " ", "'", "tis"]),
    "qwen35": ("हिन्दी 12's", ["हिन्दी", " ", "1", "2", "'s"]),
    "tekken": ("camelCase 12\n", ["camel", "Case", " ", "1", "2", "\n"]),
}


@pytest.mark.parametrize("name", SPLITS)
def test_named_splitters(name):
    text, expected = SPLITS[name]
    assert pieces(name, text) == expected


@pytest.mark.parametrize("name", PRETOKENIZERS)
def test_every_named_splitter_keeps_a_text_whole(name):
    text = "It's 12345 x\u0301 中文\r\n\n  été<=> \u3000!\tend  "
    assert "".join(pieces(name, text)) == text
