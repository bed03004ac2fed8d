"""Ranks, tekken, SentencePiece, GGUF, vocab.json: read without a library, judged by the rules that concern them."""

import base64
import json
import struct

import pytest

import tokforge
from tokforge.errors import FormatError, InputError
from tokforge.tokenizer.formats.sentencepiece_proto import (
    BPE,
    NORMAL,
    UNIGRAM,
    UNKNOWN,
    USER_DEFINED,
    Piece,
    SentencepieceProto,
    Trainer,
    write_proto,
)


def ranks(tokens):
    return b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in tokens)


BYTES = [(bytes((value,)), value) for value in range(256)]


@pytest.fixture
def check(tmp_path):
    """Returns ``check(name, data)``: code and severity of each finding, the notes on vLLM left out."""

    def run(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return [(one.rule, one.severity, one.pointer) for one in tokforge.lint(path, ignore=["L12"]).findings]

    return run


def test_sound_ranks_have_no_finding(check):
    assert check("a.tiktoken", ranks([*BYTES, (b"ab", 256), (b"abc", 300)])) == []


def test_ranks_are_checked(check):
    assert check("a.tiktoken", ranks([*BYTES[1:], (b"ab", 255)])) == [
        ("L09", "error", ""),
        ("L15", "error", "/lines/256"),
    ]
    assert check("a.tiktoken", ranks([*BYTES, (b"a", 256)])) == [("L15", "error", "/lines/257")]
    # Neither "ab" nor "cd" is a token, so nothing but look-up makes "abcd".
    assert check("a.tiktoken", ranks([*BYTES, (b"abcd", 256)])) == [("L04", "note", "/lines/257")]


def test_ranks_have_a_note_on_the_regex(tmp_path):
    (tmp_path / "a.tiktoken").write_bytes(ranks(BYTES))
    (finding,) = tokforge.lint(tmp_path).findings
    assert (finding.rule, finding.severity) == ("L12", "note")


def tekken(entries, version="v3", **config):
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for token, rank in entries
    ]
    return json.dumps(
        {"config": {"version": version, "pattern": r"\p{L}+|.", **config}, "vocab": vocab}
    ).encode()


def test_tekken_is_checked(check):
    assert check("tekken.json", tekken([*BYTES, (b"ab", 256)])) == []
    assert check("tekken.json", tekken([*BYTES, (b"ab", 257)])) == [("L05", "error", "/vocab/256/rank")]
    swapped = [(BYTES[1][0], 0), (BYTES[0][0], 1), *BYTES[2:]]
    assert check("tekken.json", tekken(swapped)) == [("L09", "error", "/vocab/0")]
    assert check("tekken.json", tekken(BYTES, version="v99")) == [("L23", "error", "/config/version")]
    assert check("tekken.json", tekken(BYTES, pattern="(a+)+b")) == [("L13", "error", "/config/pattern")]
    broken = json.loads(tekken(BYTES))
    broken["vocab"].append({"rank": 256})
    assert ("L26", "error", "/vocab/256") in check("tekken.json", json.dumps(broken).encode())


def message(number, data):
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def sentencepiece(pieces, byte_fallback=False):
    data = b"".join(message(1, message(1, text) + b"\x15" + struct.pack("<f", -1.0)) for text in pieces)
    return data + message(2, b"\x18\x02" + b"\x98\x02" + bytes([byte_fallback]))


def test_sentencepiece_is_checked(check):
    assert check("a.model", sentencepiece([b"a", "▁b".encode()])) == []
    assert check("a.model", sentencepiece([b"a", b"b\0c"])) == [("L16", "error", "/pieces/1")]
    assert check("a.model", sentencepiece([b"a", b""])) == [("L16", "error", "/pieces/1")]
    assert check("a.model", sentencepiece([b"a", b"a"])) == [("L15", "error", "/pieces/1")]
    fallback = check("a.model", sentencepiece([b"a"], byte_fallback=True))
    assert fallback == [("L10", "error", "/trainer_spec/byte_fallback")]
    every = [b"<0x%02X>" % value for value in range(256)]
    assert check("a.model", sentencepiece(every, byte_fallback=True)) == []


def scored(model_type, *pieces):
    """A model: <unk>, then (text, score) of normal pieces, then those named as user-defined."""
    typed = [Piece("<unk>", 0.0, UNKNOWN)]
    typed += [
        Piece(*one, NORMAL) if isinstance(one, tuple) else Piece(one, 0.0, USER_DEFINED) for one in pieces
    ]
    return write_proto(SentencepieceProto(pieces=tuple(typed), trainer=Trainer(model_type=model_type)))


def test_pieces_that_are_never_produced(check):
    letters = [("a", -9.0), ("b", -9.0), ("c", -9.0)]
    assert check("a.model", scored(BPE, *letters, ("ab", -1.0), ("abc", -2.0))) == []
    # "bc" goes first in "abc", and nothing joins "a" to it; no two pieces make "caa".
    dead = scored(BPE, *letters, ("ab", -2.0), ("bc", -1.0), ("abc", -3.0), ("caa", -4.0))
    assert check("a.model", dead) == [("L04", "error", "/pieces/7")]
    assert check("a.model", scored(UNIGRAM, *letters, ("ab", -17.0))) == []
    assert check("a.model", scored(UNIGRAM, *letters, ("ab", -19.0))) == [("L04", "error", "/pieces/4")]
    assert check("a.model", scored(BPE, *letters, ("ab", -1.0), ("abc", -2.0), "b")) != []
    assert check("a.model", scored(BPE, *letters, ("ab", -1.0), "bc", ("abc", -2.0))) == [
        ("L04", "error", "/pieces/6")
    ]


@pytest.mark.parametrize("model_type", [BPE, UNIGRAM])
def test_sentencepiece_itself_never_produces_them(tmp_path, model_type):
    library = pytest.importorskip("sentencepiece")
    pieces = [
        ("a", -9.0),
        ("b", -8.0),
        ("c", -7.0),
        ("ab", -3.0),
        ("bc", -2.0),
        ("abc", -11.0),
        ("cba", -30.0),
    ]
    path = tmp_path / "a.model"
    path.write_bytes(scored(model_type, *pieces))
    judge = library.SentencePieceProcessor(model_file=str(path))
    missed = [text for text, _ in pieces if judge.encode(text, out_type=str)[-1] != text]
    (finding,) = tokforge.lint(path, select=["L04"]).findings
    assert finding.value.split() == missed


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def array(kind, items):
    return struct.pack("<IIQ", 9, kind, len(items)) + b"".join(items)


def gguf(tokens, merges=(), rows=None, **values):
    keys = {
        "tokenizer.ggml.model": struct.pack("<I", 8) + text("gpt2"),
        "tokenizer.ggml.pre": struct.pack("<I", 8) + text(values.pop("pre", "qwen2")),
        "tokenizer.ggml.tokens": array(8, [text(token) for token in tokens]),
        "tokenizer.ggml.merges": array(8, [text(merge) for merge in merges]),
        **{name: struct.pack("<II", 4, value) for name, value in values.items() if isinstance(value, int)},
        **{name: value for name, value in values.items() if isinstance(value, bytes)},
    }
    header = b"GGUF" + struct.pack("<IQQ", 3, 1 if rows else 0, len(keys))
    body = b"".join(text(name) + value for name, value in keys.items())
    tensor = text("token_embd.weight") + struct.pack("<IQQIQ", 2, 8, rows, 0, 0) if rows else b""
    return header + body + tensor


def vocabulary():
    from tokforge.tokenizer.formats.byte_alphabet import initial_bytes, spell

    return [spell(token) for token in initial_bytes()]


def test_gguf_is_checked(check, tmp_path):
    tokens = [*vocabulary(), "ab"]
    assert check("a.gguf", gguf(tokens, ["a b"], rows=257)) == []
    assert check("a.gguf", gguf(tokens, ["a b"], rows=256)) == [("L08", "error", "/token_embd.weight")]
    assert check("a.gguf", gguf(tokens, ["a zz"]))[0] == ("L03", "error", "/tokenizer.ggml.merges/0")
    assert check("a.gguf", gguf([*tokens, "ab"], ["a b"]))[0][0] == "L15"
    key = "tokenizer.ggml.bos_token_id"
    assert check("a.gguf", gguf(tokens, ["a b"], **{key: 900})) == [("L07", "warning", f"/{key}")]
    scores = array(6, [struct.pack("<f", 0.0)])
    short = check("a.gguf", gguf(tokens, ["a b"], **{"tokenizer.ggml.scores": scores}))
    assert short == [("L26", "error", "/tokenizer.ggml.scores")]
    (tmp_path / "a.gguf").write_bytes(gguf(tokens, ["a b"], pre="my-own"))
    (finding,) = tokforge.lint(tmp_path / "a.gguf").findings
    assert (finding.rule, finding.value) == ("L12", "my-own")


def test_vocab_json_with_merges_txt(tmp_path):
    vocab = {token: number for number, token in enumerate([*vocabulary(), "ab", "#a", "<pad>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\n# a\n", encoding="utf-8")
    assert tokforge.lint(tmp_path).findings == ()
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\n# a\na c\n", encoding="utf-8")
    (finding,) = tokforge.lint(tmp_path).findings
    assert (finding.rule, finding.file, finding.pointer) == ("L03", "merges.txt", "/lines/3")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.json", b"{"),
        ("t.json", b'{"a": "b"}'),
        ("t.json", b'{"a": \xff}'),
        ("t.json", b'{"a":' * 100_000),
        ("t.json", b'{"a": ' + b"9" * 5000 + b"}"),
        ("t.bin", b""),
        ("t.bin", b"\0\0\0"),
        ("t.bin", b"hello world\n"),
        ("t.tiktoken", b"YQ== 0\nnonsense\n"),
        ("t.tiktoken", b"YQ== 0\n!!!! 1\n"),
        ("t.model", b"\x0a\xff\xff\xff\xff\x0f"),
        ("t.gguf", b"GGUF"),
        ("t.gguf", b"GGUF" + struct.pack("<IQQ", 9, 0, 0)),
        ("t.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60)),
        ("t.gguf", gguf(["a"])[:60]),
    ],
)
def test_bytes_of_no_format_are_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError) as caught:
        tokforge.lint(tmp_path / name)
    assert str(tmp_path / name) in caught.value.where


def test_what_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "missing", tmp_path, "/dev/null"):
        with pytest.raises(InputError):
            tokforge.lint(path)
