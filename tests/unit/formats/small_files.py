"""Small valid files of every format, made on the spot, for tests and for mutation."""

import json
import struct
from base64 import b64encode

from tokforge.tokenizer.formats.byte_alphabet import initial_bytes, spell
from tokforge.tokenizer.formats.sentencepiece_proto import (
    BPE,
    BYTE,
    CONTROL,
    NORMAL,
    UNIGRAM,
    UNKNOWN,
    Normalizer,
    Piece,
    SentencepieceProto,
    Trainer,
    write_proto,
)

MERGED = (b"he", b"ll", b"hell", b"hello", b" w", b"or", b" wor", b"ld", b" world", b"12", b"\xe4\xb8")


def ranks():
    """256 bytes and the merged tokens, in tiktoken's text."""
    tokens = [*initial_bytes(), *MERGED]
    return b"".join(b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate(tokens))


def tekken(specials=("<unk>", "<s>", "</s>"), version="v7"):
    tokens = [*(bytes((value,)) for value in range(256)), *MERGED]
    config = {
        "pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+",
        "num_vocab_tokens": len(tokens),
        "default_vocab_size": len(tokens) + len(specials),
        "default_num_special_tokens": len(specials),
        "version": version,
    }
    vocab = [
        {"rank": rank, "token_bytes": b64encode(token).decode(), "token_str": None}
        for rank, token in enumerate(tokens)
    ]
    listed = [{"rank": i, "token_str": text, "is_control": True} for i, text in enumerate(specials)]
    return json.dumps({"config": config, "vocab": vocab, "special_tokens": listed}).encode()


def vocab_and_merges():
    """vocab.json, merges.txt; `#` begins a merge, and `<pad>` is special."""
    tokens = [*initial_bytes(), *MERGED, b"##"]
    vocab = {spell(token): i for i, token in enumerate(tokens)} | {"<pad>": len(tokens)}
    merges = ["#version: 0.2"]
    for token in (*MERGED, b"##"):
        cut = next(at for at in range(len(token) - 1, 0, -1) if token[:at] in tokens and token[at:] in tokens)
        merges.append(f"{spell(token[:cut])} {spell(token[cut:])}")
    return json.dumps(vocab).encode(), ("\n".join(merges) + "\n").encode()


def hf():
    vocab, merges = vocab_and_merges()
    model = {"type": "BPE", "vocab": json.loads(vocab), "merges": merges.decode().split("\n")[1:-1]}
    pad = {"id": 268, "content": "<pad>", "special": True, "normalized": False}
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    content = {
        "version": "1.0",
        "added_tokens": [pad | flags],
        "normalizer": None,
        "pre_tokenizer": byte_level,
    }
    return json.dumps(content | {"decoder": byte_level, "model": model}).encode()


PIECES = ("\u2581", "a", "b", "c", "ab", "\u2581a", "abc", "\u2581ab")


def sentencepiece(model_type=BPE, byte_fallback=True, pieces=PIECES, normalizer=None):
    listed = [Piece("<unk>", 0.0, UNKNOWN), Piece("<s>", 0.0, CONTROL), Piece("</s>", 0.0, CONTROL)]
    if byte_fallback:
        listed += [Piece(f"<0x{value:02X}>", 0.0, BYTE) for value in range(256)]
    listed += [Piece(text, -float(rank), NORMAL) for rank, text in enumerate(pieces)]
    return write_proto(
        SentencepieceProto(
            pieces=tuple(listed),
            trainer=Trainer(model_type=model_type, byte_fallback=byte_fallback),
            normalizer=normalizer or Normalizer(name="identity", remove_extra_whitespaces=False),
        )
    )


def unigram():
    return sentencepiece(UNIGRAM, byte_fallback=False)


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def strings(values):
    return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(string, values))


def numbers(values, kind=5, code="i"):
    return struct.pack("<IIQ", 9, kind, len(values)) + struct.pack(f"<{len(values)}{code}", *values)


def gguf_pairs():
    """The pairs of a vocabulary: key -> type and value, packed."""
    vocab, merges = vocab_and_merges()
    tokens = [key for key, _ in sorted(json.loads(vocab).items(), key=lambda item: item[1])]
    return {
        "general.architecture": struct.pack("<I", 8) + string("llama"),
        "tokenizer.ggml.model": struct.pack("<I", 8) + string("gpt2"),
        "tokenizer.ggml.pre": struct.pack("<I", 8) + string("gpt-2"),
        "tokenizer.ggml.tokens": strings(tokens),
        "tokenizer.ggml.token_type": numbers([1] * (len(tokens) - 1) + [3]),
        "tokenizer.ggml.merges": strings(merges.decode().split("\n")[1:-1]),
        "tokenizer.ggml.padding_token_id": struct.pack("<II", 4, len(tokens) - 1),
        "tokenizer.chat_template": struct.pack("<I", 8) + string("{{ messages }}"),
    }


def gguf(pairs=None, version=3, tensors=0, count=None):
    pairs = gguf_pairs() if pairs is None else pairs
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs) if count is None else count)
    return head + b"".join(string(key) + value for key, value in pairs.items())


def latin1():
    """bbpe's older file: the bytes are characters, and a space is one of them."""
    tokens = ["<|start|>", *map(chr, range(256)), "he", "\x00\x00", " \xff"]
    pairs = [["h", "e"], ["\x00", "\x00"], [" ", "\xff"]]
    model = {
        "type": "BPE",
        "byte_fallback": True,
        "vocab": {token: i for i, token in enumerate(tokens)},
        "merges": pairs,
    }
    start = {"id": 0, "content": "<|start|>", "special": True, "normalized": False}
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    content = {
        "added_tokens": [start | flags],
        "pre_tokenizer": None,
        "decoder": {"type": "Fuse"},
        "model": model,
    }
    return json.dumps(content).encode()


def vocab_txt():
    return b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n##ing\na\nb\n##b\n,\n"
