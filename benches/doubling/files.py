"""Families of adversarial files: each gives a file of about any size; loading and linting it are timed."""

import json
import struct
import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from benches.doubling.families import FAMILIES
from benches.doubling.work import BYTES, learned
from tokforge import Tokenizer, _core, lint
from tokforge.errors import TokforgeError
from tokforge.tokenizer import Pipeline, initial_bytes
from tokforge.tokenizer.formats.registry import FORMATS
from tokforge.tokenizer.formats.sentencepiece_proto import (
    BPE,
    NORMAL,
    UNIGRAM,
    UNKNOWN,
    Normalizer,
    Piece,
    SentencepieceProto,
    Trainer,
    write_proto,
)

__all__ = ["FILES", "linted", "loaded"]

Files = Mapping[str, bytes]
Family = Callable[[int], Files]


def written(name: str, format: str, *stages: str) -> Family:
    def make(size: int) -> Files:
        files = FORMATS[format].write(distinct(max(1, size // 64), *stages).definition)
        return {key or name: data for key, data in files.items()}

    return make


def distinct(merges: int, *stages: str) -> Tokenizer:
    """So many merges, learned from random letters."""
    corpus = _core.ByteCorpus()
    corpus.add(FAMILIES["base64"](64 * merges + 4096))
    training = learned(corpus, 256 + merges, min_frequency=1, max_token_bytes=32)
    tokens = list(BYTES)
    for left, right, _ in training.merges:
        tokens.append(tokens[left] + tokens[right])
    order = initial_bytes()
    ids = {at: order.index(token) for at, token in enumerate(BYTES)}
    pairs = [(ids.get(left, left), ids.get(right, right), made) for left, right, made in training.merges]
    tokens[:256] = order
    pipeline = Pipeline(kind="text" if stages else "binary", pretokenizers=stages)
    return Tokenizer.from_parts(tokens, pairs, pipeline=pipeline)


def ranks(tokens: list[bytes]) -> Files:
    lines = [b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate([*initial_bytes(), *tokens])]
    return {"t.tiktoken": b"".join(lines)}


def tekken(size: int) -> Files:
    tokens = [*BYTES, *map(str.encode, words(size // 128))]
    vocab = [{"rank": at, "token_bytes": b64encode(token).decode()} for at, token in enumerate(tokens)]
    about = {"num_vocab_tokens": len(tokens), "default_vocab_size": len(tokens) + 3}
    config = {"pattern": r"\s+|\S+", "default_num_special_tokens": 3, "version": "v7", **about}
    return {"tekken.json": json.dumps({"config": config, "vocab": vocab}).encode()}


def pieces(texts: list[str], model_type: int) -> Files:
    listed = [
        Piece("<unk>", 0.0, UNKNOWN),
        *(Piece(text, -1.0 - at, NORMAL) for at, text in enumerate(texts)),
    ]
    plain = Normalizer(name="identity", remove_extra_whitespaces=False)
    trainer = Trainer(model_type=model_type, byte_fallback=False)
    return {
        "t.model": write_proto(SentencepieceProto(pieces=tuple(listed), trainer=trainer, normalizer=plain))
    }


def words(count: int) -> list[str]:
    return [f"{at * 2654435761 % 2**32:08x}" for at in range(count)]


def one_token(size: int) -> bytes:
    return np.random.default_rng(14).integers(97, 123, size, np.uint8).tobytes()


def nested_tokens(size: int) -> list[bytes]:
    """A token of each length up to 512, again and again in another letter."""
    return [bytes((97 + at // 512 % 26,)) * (at % 512 + 2) for at in range(size // 350)]


def definition(**fields: object) -> Files:
    """A tokenizer.json of a few merges with other parts."""
    (content,) = FORMATS["hf"].write(distinct(8, "gpt2").definition).values()
    return {"tokenizer.json": json.dumps(json.loads(content) | fields).encode()}


def added(size: int) -> Files:
    flags = {"special": True, "normalized": False, "single_word": False, "lstrip": False, "rstrip": False}
    one = [{"id": 264 + at, "content": f"<{text}>", **flags} for at, text in enumerate(words(size // 128))]
    return definition(added_tokens=one)


def split_by(pattern: str) -> Files:
    stage = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return definition(pre_tokenizer={"type": "Sequence", "pretokenizers": [stage, level]})


def normalised(size: int) -> Files:
    return definition(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}] * (size // 16)})


def gguf(size: int) -> Files:
    def string(data: bytes) -> bytes:
        return struct.pack("<Q", len(data)) + data

    keys = [string(b"k%d" % at) + struct.pack("<II", 4, at) for at in range(size // 24)]
    return {"t.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + b"".join(keys)}


def vocab_txt(size: int) -> Files:
    lines = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *words(size // 16),
        *(f"##{w}" for w in words(size // 16)),
    ]
    return {"vocab.txt": "\n".join(lines).encode()}


def json_of(text: Callable[[int], bytes]) -> Family:
    return lambda size: {"tokenizer.json": text(size)}


FILES: dict[str, Family] = {
    "tokenizer.json of merges": written("tokenizer.json", "hf", "gpt2"),
    "vocab.json, merges.txt": written("vocab.json", "vocab-merges", "gpt2"),
    "ranks of tiktoken": written("t.tiktoken", "tiktoken", "gpt2"),
    "tekken.json": tekken,
    "bbpe": written("tokenizer.json", "bbpe"),
    "bbpe's older file": written("tokenizer.json", "bbpe-latin1"),
    "sidecar alone": written("tokenizer.tokforge.json", "tokforge", "gpt2"),
    "sentencepiece, BPE": lambda size: pieces(words(size // 24), BPE),
    "sentencepiece, Unigram": lambda size: pieces(words(size // 24), UNIGRAM),
    "vocab.txt": vocab_txt,
    "GGUF of many keys": gguf,
    "ranks with one long token": lambda size: ranks([one_token(size)]),
    "ranks of tokens within tokens": lambda size: ranks(nested_tokens(size)),
    "one long piece, BPE": lambda size: pieces([one_token(size).decode()], BPE),
    "one long piece, Unigram": lambda size: pieces([one_token(size).decode()], UNIGRAM),
    "protobuf of unknown fields": lambda size: {"t.model": b"\x98\x06\x01" * (size // 3)},
    "many added tokens": added,
    "a long regex of choices": lambda size: split_by("|".join(words(size // 9))),
    "a long regex of groups": lambda size: split_by("(" * (size // 2) + ")" * (size // 2)),
    "many normalisers": normalised,
    "nested brackets": json_of(lambda size: b"[" * size),
    "nested objects": json_of(lambda size: b'{"a":' * (size // 5)),
    "one long number": json_of(lambda size: b"1" * size),
    "one string of escapes": json_of(lambda size: b'"' + b"\\u0041" * (size // 6) + b'"'),
    "one key again and again": json_of(lambda size: b'{"a":1' + b',"a":1' * (size // 6) + b"}"),
    "spaces": json_of(lambda size: b" " * size),
}
"""Name -> size in bytes -> the files; the first is the one to load."""


def _on_files(files: Files, work: Callable[[Path], object]) -> Callable[[], object]:
    folder = tempfile.TemporaryDirectory()
    for name, data in files.items():
        (Path(folder.name) / name).write_bytes(data)
    path = Path(folder.name) / next(iter(files))

    def run(kept: object = folder) -> None:
        with suppress(TokforgeError):
            work(path)

    return run


def loaded(files: Files) -> Callable[[], object]:
    pretokenizer = "gpt2" if next(iter(files)).endswith(".tiktoken") else None
    return _on_files(files, lambda path: Tokenizer.load(path, pretokenizer=pretokenizer).encode("hello"))


def linted(files: Files) -> Callable[[], object]:
    return _on_files(files, lint)
