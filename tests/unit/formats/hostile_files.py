"""More than 200 malformed tokenizer files, each a small valid one with one named mutation.

`hostile_files()` gives name -> files (name within a folder -> bytes); the first file is the one to load.
`benches/hostile.py` feeds the same files to other libraries.
"""

import json
import struct
from base64 import b64encode

import small_files as small

from tokforge.tokenizer.formats.protobuf import write_field
from tokforge.tokenizer.formats.sentencepiece_proto import BPE, BYTE, NORMAL

DELETE = object()
HUGE = 10**9


def hostile_files():
    """Returns all of them."""
    found = {}
    for kind, (name, data) in BASES.items():
        for mutation, content in (_generic(data) | SPECIFIC[kind]()).items():
            found[f"{kind}: {mutation}"] = content if isinstance(content, dict) else {name: content}
    return found


BASES = {
    "hf": ("tokenizer.json", small.hf()),
    "tekken": ("tekken.json", small.tekken()),
    "tiktoken": ("x.tiktoken", small.ranks()),
    "sentencepiece": ("tokenizer.model", small.sentencepiece()),
    "unigram": ("unigram.model", small.unigram()),
    "gguf": ("vocab.gguf", small.gguf()),
    "bbpe-latin1": ("latin1.json", small.latin1()),
    "vocab-merges": ("vocab.json", small.vocab_and_merges()[0]),
    "wordpiece": ("vocab.txt", small.vocab_txt()),
}


def _generic(data):
    """What happens to any file: cut, emptied, overwritten, prefixed."""
    at = {f"cut at {share}%": data[: len(data) * share // 100 + 1] for share in (0, 11, 37, 61, 88)}
    if data.endswith(b",\n"):  # a vocab.txt that lost its end is a shorter vocab.txt
        return {
            "empty": b"",
            "one NUL": b"\0",
            "all NUL": bytes(len(data)),
            "its own bytes reversed": data[::-1],
        }
    return at | {
        "empty": b"",
        "one NUL": b"\0",
        "all NUL": bytes(len(data)),
        "prefixed with NUL": b"\0" + data,
        "UTF-16": data.decode("latin-1").encode("utf-16"),
        "overwritten in the middle": data[: len(data) // 2]
        + b"\xff\xfe\xc0\x80" * 8
        + data[len(data) // 2 + 32 :],
        "its own bytes reversed": data[::-1],
    }


def _put(data, path, value):
    """Returns the JSON file with the value at ``path`` replaced, added, or (DELETE) removed."""
    root = json.loads(data)
    *way, last = path.split("/")
    inner = root
    for key in way:
        inner = inner[int(key) if isinstance(inner, list) else key]
    key = int(last) if isinstance(inner, list) else last
    if value is DELETE:
        del inner[key]
    else:
        inner[key] = value
    return json.dumps(root).encode()


def _each(data, changes):
    return {f"{path} = {_name(value)}": _put(data, path, value) for path, value in changes}


def _name(value):
    return "nothing" if value is DELETE else json.dumps(value)[:40]


def _hf():
    data = small.hf()
    changes = [
        ("model", DELETE), ("model", []), ("model/type", "Nonsense"), ("model/type", 7), ("model/vocab", DELETE),
        ("model/vocab", []), ("model/vocab", {}), ("model/vocab/he", -1), ("model/vocab/he", 3), ("model/vocab/he", HUGE),
        ("model/vocab/he", 1.5), ("model/vocab/he", "7"), ("model/vocab/he", 2**70), ("model/vocab/he", None),
        ("model/vocab/h", DELETE), ("model/vocab/hello", DELETE), ("model/merges", DELETE), ("model/merges", {}),
        ("model/merges/0", "he"), ("model/merges/0", "h e l l"), ("model/merges/0", ["h"]), ("model/merges/0", [1, 2]),
        ("model/merges/0", None), ("model/merges/1", "zz yy"), ("model/merges/1", "h e"), ("model/dropout", 0.5),
        ("added_tokens", {}), ("added_tokens/0/id", -5), ("added_tokens/0/id", HUGE), ("added_tokens/0/content", ""),
        ("added_tokens/0/content", "\ud800"), ("added_tokens/0/id", 4), ("pre_tokenizer", {"type": "Nonsense"}),
        ("pre_tokenizer", {}), ("normalizer", {"type": "Precompiled", "precompiled_charsmap": None}),
        ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "////"}),
        ("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}),
        ("decoder", {"type": "Nonsense"}),
    ]  # fmt: skip
    deep = b'{"model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    tower = b'{"type": "Sequence", "pretokenizers": [' * 5000 + b"]}" * 5000
    return _each(data, changes) | {
        "nested 100,000 deep": deep,
        "a tower of Sequences": data.replace(
            b'"pre_tokenizer": {', b'"pre_tokenizer": ' + tower + b', "x": {', 1
        ),
        "NaN": data.replace(b'"version": "1.0"', b'"version": NaN'),
        "model stands twice": data[:-1] + b', "model": {}}',
        "a number of 100,000 digits": data.replace(b'"version": "1.0"', b'"version": ' + b"9" * 100_000),
        "garbage after the end": data + b"\0garbage",
        "a lone surrogate as a key": data.replace(b'"vocab": {', b'"vocab": {"\\ud800": 9999,', 1),
    }


def _tekken():
    data = small.tekken()
    changes = [
        ("config/pattern", DELETE), ("config/pattern", 3), ("config/pattern", "("), ("config/version", "v99"),
        ("config/version", 3), ("config/default_vocab_size", HUGE), ("config/default_vocab_size", -1),
        ("config/default_vocab_size", 100), ("config/default_vocab_size", "x"), ("config/default_vocab_size", 2**80),
        ("config/default_num_special_tokens", HUGE), ("config/default_num_special_tokens", 1),
        ("config/default_num_special_tokens", None), ("vocab/3/rank", 4), ("vocab/3/rank", -1), ("vocab/3/rank", HUGE),
        ("vocab/3/token_bytes", "!!!"), ("vocab/3/token_bytes", ""), ("vocab/3/token_bytes", 7),
        ("vocab/3/token_bytes", "QUI="), ("vocab/3", None), ("vocab/3", DELETE), ("vocab/260/token_bytes", DELETE),
        ("vocab/260/token_bytes", b64encode(b"he").decode()), ("vocab", []), ("special_tokens/1/rank", 0),
        ("special_tokens/1/token_str", DELETE), ("special_tokens/1/token_str", ""), ("special_tokens/1/token_str", "<unk>"),
        ("special_tokens", 5),
    ]  # fmt: skip
    return _each(data, changes)


def _tiktoken():
    lines = small.ranks().split(b"\n")[:-1]
    with_line = lambda line: b"\n".join([*lines, line, b""])  # noqa: E731
    return {
        "a rank twice": with_line(b"enp6 5"),
        "a token twice": with_line(lines[3].split()[0] + b" 900"),
        "a rank of 10^9": with_line(b"enp6 1000000000"),
        "a rank of 100 digits": with_line(b"enp6 " + b"9" * 100),
        "a negative rank": with_line(b"enp6 -1"),
        "a rank of NaN": with_line(b"enp6 NaN"),
        "a rank with a point": with_line(b"enp6 300.0"),
        "no rank": with_line(b"enp6"),
        "two ranks": with_line(b"enp6 300 301"),
        "no base64": with_line(b"!!!! 300"),
        "base64 without padding": with_line(b"QQ 300"),
        "base64 with bits beyond its end": with_line(b"QR== 300"),
        "an empty token": with_line(b" 300"),
        "a tab": with_line(b"enp6\t300"),
        "a NUL": with_line(b"enp6 30\x000"),
        "a byte missing": b"\n".join([*lines[:40], *lines[41:], b""]),
        "one line of 5 MB": b"QUFB" * 1_250_000 + b" 0\n",
    }


def _pieces(change):
    """A model of sentencepiece with its pieces changed, unchecked."""
    pieces = change([("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("a", -1.0, 1), ("b", -2.0, 1), ("ab", -0.5, 1)])
    body = b"".join(
        write_field(1, write_field(1, text) + _score(score) + write_field(3, kind))
        for text, score, kind in pieces
    )
    return body + write_field(2, write_field(3, BPE))


def _score(score):
    return b"\x15" + struct.pack("<f", score)


def _sentencepiece():
    data = small.sentencepiece()
    add = lambda *piece: _pieces(lambda pieces: [*pieces, piece])  # noqa: E731
    return {
        "a score of NaN": add("c", float("nan"), NORMAL),
        "a score of infinity": add("c", float("inf"), NORMAL),
        "a piece twice": add("ab", -1.0, NORMAL),
        "an empty piece": add("", -1.0, NORMAL),
        "a piece with a NUL": add("a\0b", -1.0, NORMAL),
        "a piece that is no UTF-8": add(b"\xff\xfe", -1.0, NORMAL),
        "type 0": add("c", -1.0, 0),
        "type 99": add("c", -1.0, 99),
        "type 2^40": add("c", -1.0, 2**40),
        "two unknown pieces": add("<unk2>", 0.0, 2),
        "a byte piece <0x-1>": add("<0x-1>", 0.0, BYTE),
        "a byte piece <0xZZ>": add("<0xZZ>", 0.0, BYTE),
        "a byte piece <0x1>": add("<0x1>", 0.0, BYTE),
        "a byte piece <0x041>": add("<0x041>", 0.0, BYTE),
        "no pieces": write_field(2, write_field(3, BPE)),
        "no unknown piece": _pieces(lambda pieces: pieces[1:]),
        "a length of 2^40": b"\x0a" + b"\x80\x80\x80\x80\x80\x80\x01",
        "a length of 2^63": b"\x0a" + b"\xff" * 9 + b"\x01" + data,
        "a varint without an end": b"\x0a" + b"\xff" * 100,
        "a field number of 0": b"\x02\x01a",
        "a group": data + b"\x0b\x0c",
        "wire type 6": data + b"\x0e",
        "wire type 7": data + b"\x0f",
        "a piece that is a number": data + b"\x08\x05",
        "a piece whose score is text": data + write_field(1, write_field(1, "zz") + write_field(2, "x")),
        "a piece whose type is text": data + write_field(1, write_field(1, "zz") + write_field(3, "x")),
        "a trainer_spec that is a number": data + b"\x10\x05",
        "a normalizer_spec cut off": data + b"\x1a\x10\x0a",
        "model type WORD": data + write_field(2, write_field(3, 3)),
        "model type 77": data + write_field(2, write_field(3, 77)),
        "half of the bytes": small.sentencepiece().replace(b"<0x41>", b"<0x42>", 1),
        "a charsmap of one byte": data + write_field(3, write_field(2, b"\x01")),
        "a charsmap that claims 4 GB": data + write_field(3, write_field(2, b"\xff\xff\xff\xff" + bytes(64))),
    }


def _unigram():
    pieces = small.unigram()
    more = lambda text, score: write_field(1, write_field(1, text) + _score(score))  # noqa: E731
    return {
        "a score of NaN": pieces + more("zz", float("nan")),
        "a score of minus infinity": pieces + more("zz", float("-inf")),
        "a piece twice": pieces + more("abc", -1.0),
        "an empty piece": pieces + more("", -1.0),
    }


def _with(**changes):
    """The pairs of a GGUF file with some replaced (``_`` for ``.``) or removed (None)."""
    pairs = small.gguf_pairs()
    for key, value in changes.items():
        name = f"tokenizer.ggml.{key}"
        pairs = {k: v for k, v in pairs.items() if k != name} | ({} if value is None else {name: value})
    return small.gguf(pairs)


def _gguf():
    base, u32 = small.gguf(), lambda value: struct.pack("<II", 4, value)
    text = lambda value: struct.pack("<I", 8) + small.string(value)  # noqa: E731
    head = base[:4]
    deep = b"".join(struct.pack("<IQ", 9, 1) for _ in range(50_000))
    types = small.numbers([1] * 268 + [3])
    return {
        "version 0": small.gguf(version=0),
        "version 1": small.gguf(version=1),
        "version 99": small.gguf(version=99),
        "pairs: 10^9": small.gguf(count=HUGE),
        "pairs: 2^63": small.gguf(count=2**63),
        "one pair too many": small.gguf(count=len(small.gguf_pairs()) + 1),
        "a key of 2^63 bytes": head + struct.pack("<IQQQ", 3, 0, 1, 2**63) + b"x",
        "a key that is no UTF-8": head + struct.pack("<IQQ", 3, 0, 1) + small.string(b"\xff\xfe") + u32(1),
        "a key twice": small.gguf(count=2, pairs={"a": u32(1)}) + small.string("a") + u32(2),
        "value type 13": small.gguf({"a": struct.pack("<I", 13)}),
        "value type 2^32-1": small.gguf({"a": struct.pack("<I", 2**32 - 1)}),
        "a boolean of 7": small.gguf({"a": struct.pack("<IB", 7, 7)}),
        "an array of 2^63": small.gguf({"a": struct.pack("<IIQ", 9, 0, 2**63)}),
        "an array of 10^9 strings": small.gguf({"a": struct.pack("<IIQ", 9, 8, HUGE)}),
        "arrays 50,000 deep": small.gguf({"a": struct.pack("<I", 9) + deep}),
        "no model": _with(model=None),
        "model is a number": _with(model=u32(5)),
        "model is unknown": _with(model=text("nonsense")),
        "no tokens": _with(tokens=None),
        "tokens are numbers": _with(tokens=small.numbers([1, 2, 3])),
        "tokens are one string": _with(tokens=text("abc")),
        "no token at all": _with(tokens=small.strings([])),
        "a token twice": _with(tokens=small.strings(["a", "a"]), token_type=small.numbers([1, 1])),
        "types too few": _with(token_type=small.numbers([1, 1])),
        "types are text": _with(token_type=small.strings(["x"])),
        "a type of 7": _with(token_type=small.numbers([7] * 269)),
        "types are floats": _with(token_type=small.numbers([1.0] * 269, 6, "f")),
        "no merges": _with(merges=None),
        "merges are numbers": _with(merges=small.numbers([1])),
        "a merge of one token": _with(merges=small.strings(["he"])),
        "a merge of unknown tokens": _with(merges=small.strings(["zz yy"])),
        "a merge twice": _with(merges=small.strings(["h e", "h e"])),
        "the pad id is out of range": _with(padding_token_id=u32(HUGE)),
        "the pad id is text": _with(padding_token_id=text("x")),
        "the pre-tokenizer is unknown": _with(pre=text("nonsense")),
        "llama without scores": _with(model=text("llama")),
        "llama with too few scores": _with(model=text("llama"), scores=small.numbers([1.0], 6, "f")),
        "llama with scores that are no numbers": _with(
            model=text("llama"), scores=small.numbers([float("nan")] * 269, 6, "f")
        ),
        "t5 with a damaged charsmap": _with(
            model=text("t5"),
            scores=small.numbers([1.0] * 269, 6, "f"),
            precompiled_charsmap=small.numbers([1, 2, 3], 1, "b"),
            unknown_token_id=u32(0),
        ),
        "bert with a line break": _with(model=text("bert"), tokens=small.strings(["a\nb"])),
        "the pre-tokenizer is a number": _with(pre=u32(1)),
        "no pre-tokenizer": _with(pre=None),
        "a token outside the byte alphabet": _with(tokens=small.strings(["中", "x"]), token_type=types),
    }


def _latin1():
    data = small.latin1()
    changes = [
        ("model/vocab/he", 3), ("model/vocab/he", -1), ("model/vocab/he", HUGE), ("model/vocab/中", 400),
         ("model/merges/0", "h"), ("model/merges/0", " \u00ff \u00ff"), ("model/merges/0", ["h"]),
        ("model/merges/0", ["中", "h"]), ("model/merges", None), ("added_tokens", 4),
        ("added_tokens/0/content", "\ud800"),
    ]  # fmt: skip
    return _each(data, changes)


def _pair():
    vocab, merges = small.vocab_and_merges()
    both = lambda v=vocab, m=merges: {"vocab.json": v, "merges.txt": m}  # noqa: E731
    changes = [
        ("he", -1),
        ("he", 3),
        ("he", HUGE),
        ("he", 1.5),
        ("h", DELETE),
        ("hello", DELETE),
        ("中", 500),
    ]
    found = {name: both(content) for name, content in _each(vocab, changes).items()}
    texts = {
        "no merges.txt": None,
        "a merge of one token": b"#version: 0.2\nhe\n",
        "a merge of three": b"#version: 0.2\nh e l\n",
        "a merge with two spaces": b"#version: 0.2\nh  e\n",
        "a merge of unknown tokens": b"#version: 0.2\nzz yy\n",
        "a merge twice": b"#version: 0.2\nh e\nh e\n",
        "merges that are no UTF-8": b"#version: 0.2\n\xff \xfe\n",
        "the header in line 2": b"h e\n#version: 0.2\n",
        "merges of NUL": bytes(100),
    }
    for name, content in texts.items():
        found[name] = both(m=content) if content is not None else {"vocab.json": vocab}
    return found | {
        "special tokens of a wrong type": both() | {"special_tokens_map.json": b'{"pad_token": 7}'},
        "added tokens with a taken id": both() | {"added_tokens.json": b'{"<x>": 3}'},
        "added tokens that are no JSON": both() | {"added_tokens.json": b"{"},
    }


def _wordpiece():
    data = small.vocab_txt()
    return {
        "a token twice": data + b"hello\n",
        "an empty line": data + b"\nx\n",
        "no UTF-8": data + b"\xff\n",
        "## alone": data + b"##\n",
        "a broken config": {"vocab.txt": data, "tokenizer_config.json": b'{"do_lower_case": 7}'},
    }


SPECIFIC = {
    "hf": _hf, "tekken": _tekken, "tiktoken": _tiktoken, "sentencepiece": _sentencepiece, "unigram": _unigram,
    "gguf": _gguf, "bbpe-latin1": _latin1, "vocab-merges": _pair, "wordpiece": _wordpiece,
}  # fmt: skip
