"""The messages of a sentencepiece model: `ModelProto` and the parts of it that decide ids.

Read strictly: a field of another type than the schema's, a piece that is no UTF-8, a score that is no
number and an unknown piece type end in a FormatError that names the piece. Fields that do not decide ids
(training options, self tests) are skipped. Source: google/sentencepiece, sentencepiece_model.proto.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any, NamedTuple

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.protobuf import BYTES, FIXED32, VARINT, Field, fields, write_field

__all__ = [
    "BPE",
    "BYTE",
    "CONTROL",
    "NORMAL",
    "UNIGRAM",
    "UNKNOWN",
    "UNUSED",
    "USER_DEFINED",
    "Normalizer",
    "Piece",
    "SentencepieceProto",
    "Trainer",
    "read_proto",
    "write_proto",
]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
UNIGRAM, BPE = 1, 2
_HINT = "check that the file is a complete sentencepiece model"


class Piece(NamedTuple):
    """One entry of the vocabulary; its place in the list is its id."""

    text: str
    score: float
    type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """What `TrainerSpec` says that matters after training; numbers of fields stand beside them."""

    model_type: int = field(default=UNIGRAM, metadata={"number": 3})
    treat_whitespace_as_suffix: bool = field(default=False, metadata={"number": 24})
    byte_fallback: bool = field(default=False, metadata={"number": 35})
    unk_id: int = field(default=0, metadata={"number": 40})
    bos_id: int = field(default=1, metadata={"number": 41})
    eos_id: int = field(default=2, metadata={"number": 42})
    pad_id: int = field(default=-1, metadata={"number": 43})
    unk_piece: str = field(default="<unk>", metadata={"number": 45})
    bos_piece: str = field(default="<s>", metadata={"number": 46})
    eos_piece: str = field(default="</s>", metadata={"number": 47})
    pad_piece: str = field(default="<pad>", metadata={"number": 48})


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalizer:
    """`NormalizerSpec`; the character map is sentencepiece's compiled one, empty for identity."""

    name: str = field(default="", metadata={"number": 1})
    precompiled_charsmap: bytes = field(default=b"", metadata={"number": 2})
    add_dummy_prefix: bool = field(default=True, metadata={"number": 3})
    remove_extra_whitespaces: bool = field(default=True, metadata={"number": 4})
    escape_whitespaces: bool = field(default=True, metadata={"number": 5})


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencepieceProto:
    """A whole model: pieces in id order, and the two specifications."""

    pieces: tuple[Piece, ...]
    trainer: Trainer = Trainer()
    normalizer: Normalizer = Normalizer()
    has_denormalizer: bool = False
    """Decoding changes the text by a character map of its own; ids do not depend on it."""


def read_proto(data: bytes, where: str) -> SentencepieceProto:
    """Reads a model; raises FormatError with the piece or field at fault."""
    pieces: list[Piece] = []
    trainer, normalizer, has_denormalizer = Trainer(), Normalizer(), False
    for part in fields(data, where):
        if part.number == 1:
            pieces.append(_read_piece(_message(part, where), f"{where}: piece {len(pieces)}"))
        elif part.number == 2:
            trainer = Trainer(**_known(Trainer, _message(part, where), f"{where}: trainer_spec"))
        elif part.number == 3:
            normalizer = Normalizer(**_known(Normalizer, _message(part, where), f"{where}: normalizer_spec"))
        elif part.number == 5:
            has_denormalizer = bool(
                _known(Normalizer, _message(part, where), where).get("precompiled_charsmap")
            )
    if not pieces:
        raise FormatError("it holds no pieces", _HINT, where)
    return SentencepieceProto(
        pieces=tuple(pieces), trainer=trainer, normalizer=normalizer, has_denormalizer=has_denormalizer
    )


def _message(part: Field, where: str) -> bytes:
    if not isinstance(part.value, bytes) or part.wire != BYTES:
        raise FormatError(f"field {part.number} at byte {part.at} is no message", _HINT, where)
    return part.value


def _read_piece(message: bytes, where: str) -> Piece:
    text, score, kind = "", 0.0, NORMAL
    for part in fields(message, where):
        if part.number == 1:
            text = _text(_message(part, where), where)
        elif part.number == 2:
            score = _score(part, where)
        elif part.number == 3:
            kind = _number(part, where)
    if not NORMAL <= kind <= BYTE:
        raise FormatError(f"its type {kind} is unknown", "types run from 1 to 6", where)
    if not text:
        raise FormatError("the piece is empty", "give it a text", where)
    return Piece(text, score, kind)


def _text(raw: bytes, where: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{quoted(raw)} is no UTF-8", _HINT, where) from error


def _score(part: Field, where: str) -> float:
    if part.wire != FIXED32 or not isinstance(part.value, bytes):
        raise FormatError("its score is no 32-bit float", _HINT, where)
    (score,) = struct.unpack("<f", part.value)
    if score != score or score in (float("inf"), float("-inf")):
        raise FormatError(f"its score is {score}", "scores are finite numbers", where)
    return float(score)


def _number(part: Field, where: str) -> int:
    """Returns an integer field; an int32 below zero is written as ten bytes of two's complement."""
    if part.wire != VARINT or not isinstance(part.value, int):
        raise FormatError(f"field {part.number} is no integer", _HINT, where)
    value = part.value - 2**64 if part.value >= 2**63 else part.value
    if not -(2**31) <= value < 2**31:
        raise FormatError(f"field {part.number} is {value}, outside 32 bits", _HINT, where)
    return value


def _known(kind: type[Trainer] | type[Normalizer], message: bytes, where: str) -> dict[str, Any]:
    """Returns the fields of a specification that its class names; the last one counts, as in protobuf."""
    known = {one.metadata["number"]: one for one in dataclass_fields(kind)}
    found: dict[str, Any] = {}
    for part in fields(message, where):
        one = known.get(part.number)
        if one is None:
            continue
        if one.type is bool:
            found[one.name] = bool(_number(part, where))
        elif one.type is int:
            found[one.name] = _number(part, where)
        else:
            raw = _message(part, where)
            found[one.name] = raw if one.type is bytes else _text(raw, where)
    return found


def write_proto(proto: SentencepieceProto) -> bytes:
    """Returns the model's bytes, fields in schema order; every known field is written out."""
    return b"".join(_written(proto))


def _written(proto: SentencepieceProto) -> Iterator[bytes]:
    for piece in proto.pieces:
        body = write_field(1, piece.text) + write_field(2, float(piece.score))
        yield write_field(1, body + (write_field(3, piece.type) if piece.type != NORMAL else b""))
    # Field 4 is vocab_size: the library's loader compares nothing with it, other readers size tables by it.
    trainer = [*_values(proto.trainer), (4, len(proto.pieces))]
    yield write_field(2, b"".join(write_field(number, value) for number, value in sorted(trainer)))
    yield write_field(3, b"".join(write_field(number, value) for number, value in _values(proto.normalizer)))


def _values(spec: Trainer | Normalizer) -> Iterable[tuple[int, Any]]:
    return [(one.metadata["number"], getattr(spec, one.name)) for one in dataclass_fields(spec)]
