"""The pieces of a SentencePiece model, straight from its protobuf and without the library.

ModelProto: field 1 repeated SentencePiece{1 piece, 2 score, 3 type}, field 2 TrainerSpec{3 model_type,
35 byte_fallback}, field 3 NormalizerSpec{1 name, 2 precompiled_charsmap}. Nothing is checked beyond the wire
format: odd content is for rules. Linear in the file. Source: sentencepiece_model.proto, version 0.2.
"""

import struct
from dataclasses import dataclass

from tokforge.errors import FormatError
from tokforge.tokenizer.formats.protobuf import fields

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
        parts = [(one.number, one.value) for one in fields(data, source)]
    except FormatError as error:
        raise FormatError(
            f"not a tokenizer of a known format: {error.problem}",
            "give a tokenizer.json, tekken.json, tiktoken ranks, a SentencePiece .model or a GGUF",
            source,
        ) from error
    pieces = tuple(_piece(value) for number, value in parts if number == 1 and isinstance(value, bytes))
    trainer, normalizer = _last_message(parts, 2), _last_message(parts, 3)
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


def _piece(data: Value) -> Piece:
    found = _message(data)
    text, score = found.get(1, b""), found.get(2, bytes(4))
    return Piece(
        text if isinstance(text, bytes) else b"",
        struct.unpack("<f", score)[0] if isinstance(score, bytes) and len(score) == 4 else 0.0,
        PIECE_TYPES.get(_integer(found.get(3, 1)), "unknown"),
    )


def _last_message(parts: list[tuple[int, Value]], wanted: int) -> dict[int, Value]:
    last = [value for number, value in parts if number == wanted][-1:]
    return _message(last[0]) if last else {}


def _message(data: Value) -> dict[int, Value]:
    """Returns number -> value, the last of each; nothing of what is no message: rules judge it."""
    try:
        return {one.number: one.value for one in fields(data, "")} if isinstance(data, bytes) else {}
    except FormatError:
        return {}


def _integer(value: Value) -> int:
    return value if isinstance(value, int) else 0
