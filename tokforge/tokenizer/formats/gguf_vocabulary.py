"""The vocabulary in a GGUF file's metadata: read into a `Definition`.

llama.cpp names a splitter instead of writing its regex; the names below are those whose original regex is
known (llama.cpp's own patterns are approximations of them, so ids are those of the model's makers).
Tokens, types and scores must agree in number. Chat templates are named, never rendered.
Source: ggml, docs/gguf.md; ggml-org/llama.cpp, src/llama-vocab.cpp.
"""

from collections.abc import Sequence
from typing import Any

from tokforge.errors import FormatError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import unspell
from tokforge.tokenizer.formats.gguf_metadata import read_metadata
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed
from tokforge.tokenizer.model import AddedToken, BpeModel, Definition, Merge, Pipeline, table_of
from tokforge.tokenizer.pretokenizers import parse_pretokenizer

__all__ = ["PRETOKENIZERS", "read_gguf"]

_PREFIX = "tokenizer."
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_ROLES = {
    "bos": "bos", "eos": "eos", "unknown": "unk", "separator": "sep", "seperator": "sep", "padding": "pad",
    "mask": "mask", "cls": "cls",
}  # fmt: skip
_DIGITS = r"regex:\p{N}"
_GROUPS: tuple[tuple[tuple[str, ...], bool, tuple[str, ...]], ...] = (
    (("llama3",), True, ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral")),
    (("llama3",), False, ("dbrx", "smaug-bpe", "chatglm-bpe", "glm4")),
    (("gpt2",), False, ("gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4")),
    (("qwen2",), False, ("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "grok-2")),
    ((_DIGITS, "gpt2"), False, ("starcoder", "refact", "command-r", "smollm", "codeshell", "exaone")),
    (("deepseek-v3",), False, ("deepseek-v3", "hunyuan-dense")),
    (("o200k",), False, ("gpt-4o", "llama4")),
)
PRETOKENIZERS = {name: (stages, whole) for stages, whole, names in _GROUPS for name in names}
"""llama.cpp's name -> stages, and whether a whole pretoken may be a token at once."""


def read_gguf(file: SourceFile) -> Reading:
    """Reads the vocabulary; raises FormatError with the key at fault."""
    found = read_metadata(file.data, file.where, lambda key: key.startswith(_PREFIX))
    model = _string(found, "tokenizer.ggml.model", file.where)
    if model != "gpt2":
        raise FormatError(
            f"the model {quoted(model)} is not supported yet", "convert the original tokenizer instead",
            f"{file.where}: tokenizer.ggml.model",
        )  # fmt: skip
    notes = [f"{key} is left behind: it does not decide ids" for key in found if "chat_template" in key]
    try:
        return Reading(_byte_level(found, file), tuple(notes))
    except TokforgeError as error:
        raise error if str(error.where).startswith(file.where) else placed(error, file.where) from error


def _byte_level(found: dict[str, Any], file: SourceFile) -> Definition:
    texts = _strings(found, "tokenizer.ggml.tokens", file.where)
    kinds = _types(found, len(texts), file.where)
    stages, whole = _splitter(found, file)
    added = _added(found, texts, kinds, file.where)
    claimed = {token.id for token in added}
    tokens: list[bytes | None] = [
        None if i in claimed or kinds[i] == _UNUSED else _bytes(text, i, file.where)
        for i, text in enumerate(texts)
    ]
    ids = {text: i for i, text in enumerate(texts) if tokens[i] is not None}
    merges = tuple(
        _merge(ids, line, f"{file.where}: tokenizer.ggml.merges[{number}]")
        for number, line in enumerate(_strings(found, "tokenizer.ggml.merges", file.where))
    )
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
