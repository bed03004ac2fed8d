"""The vocabulary in a GGUF file's metadata: read into a `Definition`.

llama.cpp names a splitter instead of writing its regex (`gguf_splitters`). Models `llama` and `t5` are
sentencepiece's BPE and Unigram (scores added as doubles), `bert` is WordPiece, and are read as those are;
`gemma4` lists merges of characters.
Tokens, types and scores must agree in number. Chat templates are named, never rendered.
Source: ggml, docs/gguf.md; ggml-org/llama.cpp, src/llama-vocab.cpp.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tokforge.errors import FormatError, TokforgeError
from tokforge.tokenizer.decoders import ByteFallback, Fuse, Replace
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import unspell
from tokforge.tokenizer.formats.gguf_metadata import read_metadata
from tokforge.tokenizer.formats.gguf_splitters import PRETOKENIZERS
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed
from tokforge.tokenizer.formats.sentencepiece import byte_of_piece, definition_of_pieces
from tokforge.tokenizer.formats.sentencepiece_proto import (
    BPE,
    UNIGRAM,
    Normalizer,
    Piece,
    SentencepieceProto,
    Trainer,
)
from tokforge.tokenizer.formats.wordpiece_txt import read_wordpiece
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Kind,
    Merge,
    Pipeline,
    UnigramModel,
    table_of,
    with_roles,
)
from tokforge.tokenizer.normalizers import Replace as ReplaceText
from tokforge.tokenizer.pretokenizers import parse_pretokenizer

__all__ = ["read_gguf"]

_PREFIX = "tokenizer."
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_ROLES = {
    "bos": "bos", "eos": "eos", "unknown": "unk", "separator": "sep", "seperator": "sep", "padding": "pad",
    "mask": "mask", "cls": "cls",
}  # fmt: skip
_SPACE, _BYTES = "\u2581", 256
_NEWLINES = r"regex:\n+"


def read_gguf(file: SourceFile) -> Reading:
    """Reads the vocabulary; raises FormatError with the key at fault."""
    found = read_metadata(file.data, file.where, lambda key: key.startswith(_PREFIX))
    model = _string(found, "tokenizer.ggml.model", file.where)
    if model not in _READERS:
        raise FormatError(
            f"the model {quoted(model)} is not supported here",
            f"convert the original tokenizer instead; known: {', '.join(_READERS)}",
            f"{file.where}: tokenizer.ggml.model",
        )
    notes = [f"{key} is left behind: it does not decide ids" for key in found if "chat_template" in key]
    try:
        reading = _READERS[model](found, file)
        return Reading(reading.definition, (*reading.notes, *notes))
    except TokforgeError as error:
        raise error if str(error.where).startswith(file.where) else placed(error, file.where) from error


def _read_byte_level(found: dict[str, Any], file: SourceFile) -> Reading:
    texts = _strings(found, "tokenizer.ggml.tokens", file.where)
    kinds = list(_types(found, len(texts), file.where))
    never = _never_produced(texts, kinds)
    for i in never:
        kinds[i] = _UNUSED
    spelled = (
        f"{len(never)} tokens are outside the byte alphabet, so no text becomes them: read as unused ids"
    )
    return Reading(_byte_level(found, file, texts, kinds), (spelled,) if never else ())


def _never_produced(texts: Sequence[str], kinds: Sequence[int]) -> list[int]:
    """Returns the normal tokens that are no bytes, where each byte has a token beside them (Command R).

    Where bytes are missing, it is the vocabulary that is not spelled in bytes: it will be refused.
    """
    tokens = [unspell(text) if kind == _NORMAL else b"" for text, kind in zip(texts, kinds, strict=True)]
    complete = len({token for token in tokens if token and len(token) == 1}) == _BYTES
    return [i for i, token in enumerate(tokens) if complete and token is None]


def _read_merged_characters(found: dict[str, Any], file: SourceFile) -> Reading:
    """Reads Gemma 4's model: spaces spelled U+2581, runs of line feeds apart, no scores but merges."""
    texts = _strings(found, "tokenizer.ggml.tokens", file.where)
    types = _types(found, len(texts), file.where)
    if types.count(_BYTE) != _BYTES:
        raise FormatError(
            f"{types.count(_BYTE)} of the 256 byte tokens are there",
            "convert the original tokenizer instead",
            f"{file.where}: tokenizer.ggml.token_type",
        )
    added = _added(found, texts, types, file.where)
    tokens: list[bytes | None] = [
        _piece(text, kind, f"{file.where}: tokenizer.ggml.tokens[{i}]")
        for i, (text, kind) in enumerate(zip(texts, types, strict=True))
    ]
    kinds: list[Kind] = ["byte" if kind == _BYTE else "normal" for kind in types]
    normal = {text: i for i, text in enumerate(texts) if types[i] == _NORMAL}
    model = BpeModel(_merges(found, normal, file.where), atoms="characters", byte_fallback=True)
    pipeline = Pipeline(
        "text",
        (_NEWLINES,),
        (ReplaceText(" ", _SPACE, regex=False),),
        decoders=(Replace(_SPACE, " "), ByteFallback(), Fuse()),
    )
    return Reading(Definition(table_of(tokens, added, kinds), model, pipeline, tuple(added)))


def _piece(text: str, kind: int, place: str) -> bytes | None:
    """Returns the bytes of a normal or byte token, None for another."""
    if kind != _BYTE:
        return text.encode() if kind == _NORMAL else None
    byte = byte_of_piece(text)
    if byte is None:
        raise FormatError(f"{quoted(text)} is of type byte", "spell a byte <0x0A>", place)
    return bytes((byte,))


def _read_pieces(found: dict[str, Any], file: SourceFile, kind: int) -> Reading:
    """Reads what came from a sentencepiece model: by that library's rules, which llama.cpp copies."""
    texts = _strings(found, "tokenizer.ggml.tokens", file.where)
    kinds = list(_types(found, len(texts), file.where))
    if (unknown := found.get("tokenizer.ggml.unknown_token_id")) is not None:
        _roles(found, len(texts), file.where)  # raises for ids that are out of range
        kinds = [_UNUSED if one == _UNKNOWN else one for one in kinds]  # fillers, in some files
        kinds[unknown] = _UNKNOWN
    _set_aside_unused(texts, kinds, file.where)
    scores = _scores(found, len(texts), file.where)
    proto = SentencepieceProto(
        pieces=tuple(map(Piece, texts, scores, kinds)),
        trainer=Trainer(
            model_type=kind,
            byte_fallback=kinds.count(_BYTE) == _BYTES,
            treat_whitespace_as_suffix=_flag(found, "treat_whitespace_as_suffix", False, file.where),
        ),
        normalizer=Normalizer(
            precompiled_charsmap=_charsmap(found, file.where),
            add_dummy_prefix=_flag(found, "add_space_prefix", kind == BPE, file.where),
            remove_extra_whitespaces=_flag(found, "remove_extra_whitespaces", False, file.where),
            escape_whitespaces=_flag(found, "escape_whitespaces", True, file.where),
        ),
    )
    definition = _in_doubles(definition_of_pieces(proto, file.where))
    roles = _roles(found, len(texts), file.where)
    held = {role: definition.table.tokens[i].decode() for i, names in roles.items() for role in names}
    texts_of_added = {token.text for token in definition.added_tokens}
    named = {role: text for role, text in held.items() if text in texts_of_added}
    return Reading(with_roles(definition, named, file.where))


def _in_doubles(definition: Definition) -> Definition:
    """llama.cpp adds Unigram scores as doubles, sentencepiece as floats: near ties fall otherwise."""
    model = definition.model
    if not isinstance(model, UnigramModel):
        return definition
    return replace(definition, model=replace(model, arithmetic="float64"))


def _set_aside_unused(texts: Sequence[str], kinds: list[int], where: str) -> None:
    """Makes control tokens of unused pieces, which no text reaches: two pieces never make one of them."""
    known = set(texts)
    for i, text in enumerate(texts):
        if kinds[i] != _UNUSED:
            continue
        if any(text[:cut] in known and text[cut:] in known for cut in range(1, len(text))):
            raise FormatError(
                f"the unused token {quoted(text)} can be made of two others, and llama.cpp and sentencepiece "
                "then differ",
                "convert the original tokenizer instead",
                f"{where}: tokenizer.ggml.tokens[{i}]",
            )
        kinds[i] = _CONTROL


def _read_word_pieces(found: dict[str, Any], file: SourceFile) -> Reading:
    """Reads BERT's vocabulary, whose words begin with U+2581 and whose continuing pieces with nothing."""
    texts = _strings(found, "tokenizer.ggml.tokens", file.where)
    lines = [_word_piece(text, i, file.where) for i, text in enumerate(texts)]
    where = f"{file.where}: tokenizer.ggml.tokens as lines"
    return read_wordpiece(replace(file, data="\n".join(lines).encode(), where=where, neighbour=_nothing))


def _word_piece(text: str, number: int, where: str) -> str:
    if "\n" in text or not text:
        raise FormatError(
            f"{quoted(text)} is no word", "drop the token", f"{where}: tokenizer.ggml.tokens[{number}]"
        )
    if text.startswith("[") and text.endswith("]"):
        return text
    return text[1:] if text.startswith(_SPACE) and text != _SPACE else f"##{text}"


def _nothing(name: str) -> None:
    """There are no files beside a vocabulary that stands in a GGUF file."""
    del name


def _byte_level(
    found: dict[str, Any], file: SourceFile, texts: list[str], kinds: Sequence[int]
) -> Definition:
    stages, whole = _splitter(found, file)
    added = _added(found, texts, kinds, file.where)
    claimed = {token.id for token in added}
    tokens: list[bytes | None] = [
        None if i in claimed or kinds[i] == _UNUSED else _bytes(text, i, file.where)
        for i, text in enumerate(texts)
    ]
    ids = {text: i for i, text in enumerate(texts) if tokens[i] is not None}
    merges = _merges(found, ids, file.where)
    return Definition(
        table_of(tokens, added), BpeModel(merges, whole), Pipeline("text", stages), tuple(added)
    )


def _bytes(text: str, token_id: int, where: str) -> bytes:
    token = unspell(text)
    if not token:
        raise FormatError(
            f"{quoted(text)} is not spelled in the GPT-2 byte alphabet",
            "its type should be control or user-defined",
            f"{where}: tokenizer.ggml.tokens[{token_id}]",
        )
    return token


def _merges(found: dict[str, Any], ids: dict[str, int], where: str) -> tuple[Merge, ...]:
    lines = _strings(found, "tokenizer.ggml.merges", where)
    return tuple(
        _merge(ids, line, f"{where}: tokenizer.ggml.merges[{number}]") for number, line in enumerate(lines)
    )


def _merge(ids: dict[str, int], line: str, where: str) -> Merge:
    left, _, right = line[:1] + line[1:].partition(" ")[0], "", line[1:].partition(" ")[2]
    for part in (left, right, left + right):
        if part not in ids:
            raise FormatError(
                f"{quoted(part)} is no token", "a merge is two tokens with a space between", where
            )
    return ids[left], ids[right], ids[left + right]


def _added(found: dict[str, Any], texts: list[str], kinds: Sequence[int], where: str) -> list[AddedToken]:
    roles = _roles(found, len(texts), where)
    return [
        AddedToken(i, text, roles.get(i, ()), special=kinds[i] in (_CONTROL, _UNKNOWN))
        for i, text in enumerate(texts)
        if kinds[i] in (_CONTROL, _UNKNOWN, _USER_DEFINED)
    ]


def _roles(found: dict[str, Any], size: int, where: str) -> dict[int, tuple[str, ...]]:
    roles: dict[int, tuple[str, ...]] = {}
    for name, role in _ROLES.items():
        key = f"tokenizer.ggml.{name}_token_id"
        if key not in found:
            continue
        token_id = found[key]
        if type(token_id) is not int or not 0 <= token_id < size:
            raise FormatError(
                f"id {quoted(token_id)} is outside the vocabulary of {size}", "correct it", f"{where}: {key}"
            )
        roles[token_id] = (*roles.get(token_id, ()), role)
    return roles


def _splitter(found: dict[str, Any], file: SourceFile) -> tuple[tuple[str, ...], bool]:
    name = found.get("tokenizer.ggml.pre", "default")
    if file.options.pretokenizer:
        whole = PRETOKENIZERS[name][1] if isinstance(name, str) and name in PRETOKENIZERS else False
        return parse_pretokenizer(file.options.pretokenizer), whole
    if not isinstance(name, str) or name not in PRETOKENIZERS:
        raise FormatError(
            f"the pre-tokenizer {quoted(name)} is not known",
            f"add --pretokenizer, or use one of: {', '.join(PRETOKENIZERS)}",
            f"{file.where}: tokenizer.ggml.pre",
        )
    stages, whole = PRETOKENIZERS[name]
    return stages, whole


def _string(found: dict[str, Any], key: str, where: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise FormatError(
            f"{key} is {'missing' if value is None else 'no string'}", "a vocabulary needs it", where
        )
    return value


def _strings(found: dict[str, Any], key: str, where: str) -> list[str]:
    value = found.get(key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise FormatError(
            f"{key} is {'missing' if value is None else 'no array of strings'}",
            "a vocabulary needs it",
            where,
        )
    return value


def _scores(found: dict[str, Any], size: int, where: str) -> list[float]:
    value, place = found.get("tokenizer.ggml.scores"), f"{where}: tokenizer.ggml.scores"
    if value is None or isinstance(value, list | str | int | float) or value.dtype.kind != "f":
        raise FormatError("the scores are no numbers", "this model merges by scores: it needs them", place)
    if len(value) != size:
        raise FormatError(f"{len(value)} scores for {size} tokens", "they must agree in number", place)
    scores: list[float] = value.tolist()
    odd = next((i for i, score in enumerate(scores) if not math.isfinite(score)), None)
    if odd is not None:
        raise FormatError(f"the score is {scores[odd]}", "give a finite number", f"{place}[{odd}]")
    return scores


def _charsmap(found: dict[str, Any], where: str) -> bytes:
    value = found.get("tokenizer.ggml.precompiled_charsmap")
    if value is None:
        return b""
    if isinstance(value, list | str | int | float) or value.dtype.itemsize != 1:
        raise FormatError(
            "the charsmap is no array of bytes",
            "it is damaged",
            f"{where}: tokenizer.ggml.precompiled_charsmap",
        )
    return bytes(value.tobytes())


def _flag(found: dict[str, Any], name: str, default: bool, where: str) -> bool:
    value = found.get(f"tokenizer.ggml.{name}", default)
    if not isinstance(value, bool):
        raise FormatError("expected true or false", "correct it", f"{where}: tokenizer.ggml.{name}")
    return value


def _types(found: dict[str, Any], size: int, where: str) -> Sequence[int]:
    value = found.get("tokenizer.ggml.token_type")
    if value is None:
        return [_NORMAL] * size
    place = f"{where}: tokenizer.ggml.token_type"
    if isinstance(value, list | str | int | float) or value.dtype.kind not in "iu":
        raise FormatError("the types are no integers", "types run from 1 to 6", place)
    if len(value) != size:
        raise FormatError(f"{len(value)} types for {size} tokens", "they must agree in number", place)
    odd = next((i for i, kind in enumerate(value.tolist()) if not _NORMAL <= kind <= _BYTE), None)
    if odd is not None:
        raise FormatError(f"the type {value[odd]} is unknown", "types run from 1 to 6", f"{place}[{odd}]")
    return list(value.tolist())


_READERS: dict[str, Callable[[dict[str, Any], SourceFile], Reading]] = {
    "gpt2": _read_byte_level,
    "llama": partial(_read_pieces, kind=BPE),
    "t5": partial(_read_pieces, kind=UNIGRAM),
    "bert": _read_word_pieces,
    "gemma4": _read_merged_characters,
}
"""llama.cpp's name of the kind of model -> its reader."""
