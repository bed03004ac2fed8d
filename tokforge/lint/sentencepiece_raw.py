"""The pieces of a SentencePiece model, straight from its protobuf and without the library.

ModelProto: field 1 repeated SentencePiece{1 piece, 2 score, 3 type}, field 2 TrainerSpec{3 model_type,
35 byte_fallback}, field 3 NormalizerSpec{1 name, 2 precompiled_charsmap}. Nothing is checked beyond the wire
format: odd content is for rules. Linear in the file. Source: sentencepiece_model.proto, version 0.2.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tokforge.errors import FormatError

__all__ = ["PIECE_TYPES", "Piece", "PieceModel", "parse_sentencepiece"]

PIECE_TYPES = {1: "normal", 2: "unknown", 3: "control", 4: "user_defined", 5: "unused", 6: "byte"}
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, its bytes as they stand."""

    data: bytes
    score: float
    type: str


@dataclass(frozen=True, slots=True)
class PieceModel:
    """What rules ask of a SentencePiece model."""

    pieces: tuple[Piece, ...]
    model_type: str
    byte_fallback: bool
    normalizer: str


def parse_sentencepiece(data: bytes, source: str) -> PieceModel:
    """Parses a ``.model``; raises FormatError for bytes that are no such message."""
    try:
        fields = list(_fields(data))
    except (IndexError, ValueError, struct.error) as error:
        raise FormatError(
            f"not a tokenizer of a known format: {error}",
            "give a tokenizer.json, tekken.json, tiktoken ranks, a SentencePiece .model or a GGUF",
            source,
        ) from error
    pieces = tuple(_piece(value) for number, value in fields if number == 1 and isinstance(value, bytes))
    trainer, normalizer = _last_message(fields, 2), _last_message(fields, 3)
    if not pieces:
        raise FormatError(
            "no piece in it, so no SentencePiece model", "check that the file is complete", source
        )
    name = normalizer.get(1, b"")
    return PieceModel(
        pieces,
        _MODEL_TYPES.get(_integer(trainer.get(3, 1)), "unknown"),
        bool(_integer(trainer.get(35, 0))),
        name.decode("utf-8", "replace") if isinstance(name, bytes) else "",
    )


Value = int | bytes


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ValueError(f"field 0 at byte {at}")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            raise ValueError(f"a field at byte {at} reaches beyond the end")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError(f"an endless integer at byte {at}")


def _piece(data: Value) -> Piece:
    try:
        fields = dict(_fields(data)) if isinstance(data, bytes) else {}
    except (IndexError, ValueError):
        fields = {}
    text, score = fields.get(1, b""), fields.get(2, bytes(4))
    return Piece(
        text if isinstance(text, bytes) else b"",
        struct.unpack("<f", score)[0] if isinstance(score, bytes) and len(score) == 4 else 0.0,
        PIECE_TYPES.get(_integer(fields.get(3, 1)), "unknown"),
    )


def _last_message(fields: list[tuple[int, Value]], wanted: int) -> dict[int, Value]:
    parts = [value for number, value in fields if number == wanted and isinstance(value, bytes)]
    try:
        return dict(_fields(parts[-1])) if parts else {}
    except (IndexError, ValueError):
        return {}


def _integer(value: Value) -> int:
    return value if isinstance(value, int) else 0
