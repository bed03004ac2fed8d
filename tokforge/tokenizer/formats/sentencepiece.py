"""sentencepiece models: BPE and Unigram, read into a `Definition` and written from one.

The normaliser, the pieces' types and the way of ranking are sentencepiece's own, so ids are equal to that
library's, not only near. Types: normal; unknown; control (special here, never matched in text);
user-defined (found first, never merged); unused (merged, then taken apart again: refused for BPE, no token
for Unigram); byte (`<0x41>`, what a character without a token becomes). Writing takes the subset in which
nothing is lost: BPE ranked by product over characters, or Unigram in float32, with a normaliser that
sentencepiece has, no splitter, and one unknown token. Source: google/sentencepiece, bpe_model.cc,
unigram_model.cc, normalizer.cc, model_interface.cc.
"""

import re
from collections.abc import Sequence

import numpy as np

from tokforge.errors import ExportError, FormatError, TokforgeError
from tokforge.tokenizer.decoders import ByteFallback, Decoder, Fuse, Replace, StripTokens
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.ranks import products
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed
from tokforge.tokenizer.formats.sentencepiece_proto import (
    BPE,
    BYTE,
    CONTROL,
    NORMAL,
    UNIGRAM,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    Normalizer,
    Piece,
    SentencepieceProto,
    Trainer,
    read_proto,
    write_proto,
)
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Kind,
    Pipeline,
    UnigramModel,
    product_merges,
    table_of,
)
from tokforge.tokenizer.normalizers import Prepend, SentencePiece
from tokforge.tokenizer.normalizers import Replace as ReplaceText

__all__ = ["byte_of_piece", "definition_of_pieces", "read_sentencepiece", "write_sentencepiece"]

_BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")
_UNK_PENALTY = 10.0
"""What an unknown character costs below the lowest score (unigram_model.cc, kUnkPenalty)."""
_SPACE = "\u2581"


def read_sentencepiece(file: SourceFile) -> Reading:
    """Reads a model; raises FormatError with the piece or field at fault."""
    proto = read_proto(file.data, file.where)
    notes = []
    if proto.has_denormalizer:
        notes.append("the denormaliser is left behind: it changes decoded text, not ids")
    try:
        return Reading(definition_of_pieces(proto, file.where), tuple(notes))
    except TokforgeError as error:
        raise error if str(error.where).startswith(file.where) else placed(error, file.where) from error


def byte_of_piece(text: str) -> int | None:
    """Returns the byte that ``<0x41>`` stands for, exactly so spelled, or None."""
    found = _BYTE_PIECE.fullmatch(text)
    return int(found[1], 16) if found else None


def definition_of_pieces(proto: SentencepieceProto, where: str) -> Definition:
    """Builds the definition; raises FormatError for what no model of sentencepiece may hold."""
    _check_pieces(proto, where)
    _check_charsmap(proto.normalizer.precompiled_charsmap, f"{where}: normalizer_spec")
    added = _added(proto, where)
    claimed = {token.id for token in added}
    tokens = [None if i in claimed else _token(piece, i, where) for i, piece in enumerate(proto.pieces)]
    kinds: list[Kind] = ["byte" if piece.type == BYTE else "normal" for piece in proto.pieces]
    table = table_of(tokens, added, kinds)
    model = _bpe(proto, tokens) if proto.trainer.model_type == BPE else _unigram(proto)
    return Definition(table, model, _pipeline(proto), tuple(added))


def _check_pieces(proto: SentencepieceProto, where: str) -> None:
    if proto.trainer.model_type not in (BPE, UNIGRAM):
        raise FormatError(
            f"model type {proto.trainer.model_type} is not supported",
            "BPE and Unigram are",
            f"{where}: trainer_spec",
        )
    seen: dict[str, int] = {}
    for number, piece in enumerate(proto.pieces):
        place = f"{where}: piece {number}"
        if seen.setdefault(piece.text, number) != number:
            raise FormatError(
                f"{quoted(piece.text)} is piece {seen[piece.text]} already", "keep one of them", place
            )
        if "\0" in piece.text:
            raise FormatError(
                f"{quoted(piece.text)} holds a NUL, which sentencepiece 0.2.2 and later refuse",
                "remove the piece",
                place,
            )
        if piece.type == UNUSED and proto.trainer.model_type == BPE:
            raise FormatError(
                "an unused piece merges and is taken apart again, which is not supported", "drop it", place
            )
    unknown = [i for i, piece in enumerate(proto.pieces) if piece.type == UNKNOWN]
    if len(unknown) != 1:
        raise FormatError(f"{len(unknown)} pieces are of type unknown", "a model has exactly one", where)


def _check_charsmap(charsmap: bytes, where: str) -> None:
    """A charsmap is the size of its trie, the trie, and texts that end in NUL; its size must be true."""
    if not charsmap:
        return
    size = int.from_bytes(charsmap[:4], "little")
    texts = charsmap[4 + size :]
    if len(charsmap) < 8 or size % 4 or not 4 <= size <= len(charsmap) - 4 or (texts and texts[-1]):
        raise FormatError(
            f"the charsmap of {len(charsmap)} bytes claims a trie of {size}",
            "it is damaged: restore it",
            where,
        )


def _token(piece: Piece, number: int, where: str) -> bytes | None:
    if piece.type == UNUSED:
        return None
    if piece.type != BYTE:
        return piece.text.encode()
    byte = byte_of_piece(piece.text)
    if byte is None:
        raise FormatError(
            f"{quoted(piece.text)} is of type byte",
            "spell a byte with two capital hexadecimal digits: <0x0A>",
            f"{where}: piece {number}",
        )
    return bytes((byte,))


def _added(proto: SentencepieceProto, where: str) -> list[AddedToken]:
    trainer = proto.trainer
    roles: dict[int, tuple[str, ...]] = {}
    named = {"bos": trainer.bos_piece, "eos": trainer.eos_piece, "pad": trainer.pad_piece}
    ids = {piece.text: i for i, piece in enumerate(proto.pieces)}
    for (
        role,
        text,
    ) in named.items():  # sentencepiece finds them by text, too: ids in trainer_spec may be stale
        token_id = ids.get(text, -1)
        if token_id >= 0 and proto.pieces[token_id].type == CONTROL:
            roles[token_id] = (*roles.get(token_id, ()), role)
    found = []
    for number, piece in enumerate(proto.pieces):
        if piece.type in (CONTROL, UNKNOWN):
            own = ("unk",) if piece.type == UNKNOWN else roles.get(number, ())
            found.append(AddedToken(number, piece.text, own))
    if len({token.text for token in found}) != len(found):
        raise FormatError("two control pieces have one text", "keep one", where)
    return found


def _bpe(proto: SentencepieceProto, tokens: Sequence[bytes | None]) -> BpeModel:
    """Any two neighbours that join to a normal piece merge, the highest score first."""
    part = [token if proto.pieces[i].type == NORMAL else None for i, token in enumerate(tokens)]
    scored = [
        (-piece.score, i)
        for i, piece in enumerate(proto.pieces)
        if piece.type == NORMAL and len(piece.text) > 1
    ]
    merges, ranks = product_merges(part, scored)
    return BpeModel(
        merges,
        ranks=ranks,
        atoms="characters",
        byte_fallback=_falls_back(proto),
        unk_id=_unknown(proto),
        fuse_unk=True,
        user_defined=_user_defined(proto),
    )


def _unigram(proto: SentencepieceProto) -> UnigramModel:
    normal = [piece.score for piece in proto.pieces if piece.type == NORMAL]
    scores = tuple(piece.score if piece.type in (NORMAL, USER_DEFINED) else None for piece in proto.pieces)
    return UnigramModel(
        scores=scores,
        unk_score=float(np.float32(min(normal, default=0.0)) - np.float32(_UNK_PENALTY)),
        unk_id=_unknown(proto),
        byte_fallback=_falls_back(proto),
        arithmetic="float32",
        fuse_unk=True,
        user_defined=_user_defined(proto),
    )


def _falls_back(proto: SentencepieceProto) -> bool:
    return proto.trainer.byte_fallback


def _unknown(proto: SentencepieceProto) -> int:
    return next(i for i, piece in enumerate(proto.pieces) if piece.type == UNKNOWN)


def _user_defined(proto: SentencepieceProto) -> tuple[int, ...]:
    return tuple(i for i, piece in enumerate(proto.pieces) if piece.type == USER_DEFINED)


def _pipeline(proto: SentencepieceProto) -> Pipeline:
    spec = proto.normalizer
    normalizer = SentencePiece(
        charsmap=spec.precompiled_charsmap,
        add_dummy_prefix=spec.add_dummy_prefix,
        remove_extra_whitespaces=spec.remove_extra_whitespaces,
        escape_whitespaces=spec.escape_whitespaces,
        treat_whitespace_as_suffix=proto.trainer.treat_whitespace_as_suffix,
        user_defined=tuple(piece.text for piece in proto.pieces if piece.type == USER_DEFINED),
    )
    return Pipeline("text", normalizers=(normalizer,), decoders=_decoders(spec, proto.trainer))


def _decoders(spec: Normalizer, trainer: Trainer) -> tuple[Decoder, ...]:
    """sentencepiece's way back: escaped spaces become spaces, and the dummy prefix is dropped."""
    strip = (
        (StripTokens(" ", start=1),)
        if spec.add_dummy_prefix and not trainer.treat_whitespace_as_suffix
        else ()
    )
    return (Replace(_SPACE, " "), ByteFallback(), Fuse(), *strip)


def write_sentencepiece(definition: Definition) -> bytes:
    """Returns the model's bytes; raises ExportError, by name, for what it would lose."""
    model = definition.model
    if isinstance(model, BpeModel) and model.atoms == "characters":
        scores = _scores_of(definition, model)
    elif isinstance(model, UnigramModel):
        scores = {i: score for i, score in enumerate(model.scores) if score is not None}
    else:
        raise ExportError(
            "sentencepiece has BPE over characters and Unigram, and no other model",
            "choose tokenizer.json",
        )
    normalizer = _normalizer_of(definition)
    pieces = _pieces_of(definition, model, scores)
    trainer = _trainer_of(definition, model, normalizer.treat_whitespace_as_suffix)
    spec = Normalizer(
        name="identity" if not normalizer.charsmap else "user_defined",
        precompiled_charsmap=normalizer.charsmap,
        add_dummy_prefix=normalizer.add_dummy_prefix,
        remove_extra_whitespaces=normalizer.remove_extra_whitespaces,
        escape_whitespaces=normalizer.escape_whitespaces,
    )
    return write_proto(SentencepieceProto(pieces=pieces, trainer=trainer, normalizer=spec))


def _scores_of(definition: Definition, model: BpeModel) -> dict[int, float]:
    """Returns the scores that rank as the model does: its ranks, below zero. Equal ones stay equal."""
    if model.ranks is None:
        return {token_id: -float(rank) for rank, token_id in enumerate(products(definition), 1)}
    return {merged: -float(rank + 1) for (_, _, merged), rank in zip(model.merges, model.ranks, strict=True)}


def _normalizer_of(definition: Definition) -> SentencePiece:
    """Returns sentencepiece's normaliser; the two ways in which Hugging Face spells Llama's and Gemma's are
    the same function of a text."""
    pipeline = definition.pipeline
    if pipeline.pretokenizers:
        names = ", ".join(map(str, pipeline.pretokenizers))
        raise ExportError(
            f"sentencepiece has no splitter, and this tokenizer has {names}", "choose tokenizer.json"
        )
    match pipeline.normalizers:
        case (SentencePiece() as step,):
            return step
        case (ReplaceText(pattern=" ", content="\u2581", regex=False),):
            return SentencePiece(add_dummy_prefix=False, remove_extra_whitespaces=False)
        case (Prepend(text="\u2581"), ReplaceText(pattern=" ", content="\u2581", regex=False)):
            return SentencePiece(remove_extra_whitespaces=False)
        case ():
            return SentencePiece(
                add_dummy_prefix=False, remove_extra_whitespaces=False, escape_whitespaces=False
            )
    names = ", ".join(step if isinstance(step, str) else type(step).__name__ for step in pipeline.normalizers)
    raise ExportError(
        f"sentencepiece cannot normalise as this tokenizer does: {names}", "choose tokenizer.json"
    )


def _pieces_of(
    definition: Definition, model: BpeModel | UnigramModel, scores: dict[int, float]
) -> tuple[Piece, ...]:
    table = definition.table
    user_defined = set(model.user_defined)
    pieces = []
    for token_id, (token, kind) in enumerate(zip(table.tokens, table.kinds, strict=True)):
        if kind in ("continuing", "ending", "added"):
            raise ExportError(
                f"id {token_id} ({quoted(token)}) is of kind {kind}, which sentencepiece has not",
                "choose tokenizer.json",
            )
        if token_id == model.unk_id:
            pieces.append(Piece(token.decode(), 0.0, UNKNOWN))
        elif kind == "special":
            pieces.append(Piece(token.decode(), 0.0, CONTROL))
        elif kind == "byte" and model.byte_fallback:
            pieces.append(Piece(f"<0x{token[0]:02X}>", 0.0, BYTE))
        elif kind == "unused":
            pieces.append(_unused(token_id, model))
        else:
            score = scores.get(token_id, 0.0)
            pieces.append(
                Piece(_utf8(token, token_id), score, USER_DEFINED if token_id in user_defined else NORMAL)
            )
    if model.unk_id is None:
        raise ExportError(
            "sentencepiece needs an unknown token, and this tokenizer has none", "choose tokenizer.json"
        )
    return tuple(pieces)


def _unused(token_id: int, model: BpeModel | UnigramModel) -> Piece:
    if isinstance(model, BpeModel):
        raise ExportError(
            f"id {token_id} is unused, and sentencepiece's unused pieces merge", "choose tokenizer.json"
        )
    return Piece(f"<unused {token_id}>", 0.0, UNUSED)


def _utf8(token: bytes, token_id: int) -> str:
    try:
        return token.decode()
    except UnicodeDecodeError as error:
        raise ExportError(f"id {token_id} ({quoted(token)}) is no UTF-8", "choose tokenizer.json") from error


def _trainer_of(definition: Definition, model: BpeModel | UnigramModel, suffix: bool) -> Trainer:
    """Returns trainer_spec with the ids of the roles; -1, as sentencepiece says, where no token has one."""
    named = {role: token for token in definition.added_tokens for role in token.roles}
    bos, eos, pad = (named.get(role) for role in ("bos", "eos", "pad"))
    unk = model.unk_id
    return Trainer(
        model_type=BPE if isinstance(model, BpeModel) else UNIGRAM,
        treat_whitespace_as_suffix=suffix,
        byte_fallback=model.byte_fallback,
        unk_id=-1 if unk is None else unk,
        bos_id=bos.id if bos else -1,
        eos_id=eos.id if eos else -1,
        pad_id=pad.id if pad else -1,
        unk_piece="<unk>" if unk is None else definition.table.tokens[unk].decode(),
        bos_piece=bos.text if bos else "<s>",
        eos_piece=eos.text if eos else "</s>",
        pad_piece=pad.text if pad else "<pad>",
    )
