"""Normalisers of tokenizer.json: read into steps, written from them."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from tokforge.errors import ExportError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.normalizers import (
    FORMS,
    Bert,
    Lowercase,
    Nmt,
    Normalizer,
    Precompiled,
    Prepend,
    Replace,
    SentencePiece,
    Strip,
    StripAccents,
)
from tokforge.tokenizer.pretokenizers import check_portable

__all__ = [
    "BYTE_LEVEL",
    "literal_or_regex",
    "read_normalizers",
    "read_pattern",
    "sequence",
    "write_normalizers",
]

BYTE_LEVEL = "ByteLevel"
_HINT = "ask for it in an issue, or drop the step"
_SPACE = "\u2581"


def read_normalizers(node: Node) -> tuple[list[Normalizer], bool]:
    """Returns the steps, and whether the last one spells text in the byte alphabet."""
    parts = _flat(node)
    is_spelled = bool(parts) and parts[-1].need("type").string() == BYTE_LEVEL
    return [_read(part) for part in parts[: len(parts) - is_spelled]], is_spelled


def _flat(node: Node) -> list[Node]:
    if node.value is None:
        return []
    if node.need("type").string() != "Sequence":
        return [node]
    return [inner for part in node.need("normalizers").items() for inner in _flat(part)]


def _read(node: Node) -> Normalizer:
    name = node.need("type").string()
    form = next((known for known in FORMS if known == name), None)
    if form:
        return form
    match name:
        case "Lowercase":
            return Lowercase()
        case "StripAccents":
            return StripAccents()
        case "Nmt":
            return Nmt()
        case "Prepend":
            return Prepend(node.need("prepend").string())
        case "Replace":
            pattern, is_regex = read_pattern(node.need("pattern"))
            return Replace(pattern, node.need("content").string(), is_regex)
        case "Strip":
            return Strip(node.need("strip_left").boolean(), node.need("strip_right").boolean())
        case "BertNormalizer":
            return _read_bert(node)
        case "Precompiled":
            return Precompiled(_read_charsmap(node.need("precompiled_charsmap")))
    raise node.error(f"the normaliser {quoted(name)} is not supported here", _HINT)


def read_pattern(node: Node) -> tuple[str, bool]:
    """Returns the pattern, and whether it is a regex; refuses one that two engines read differently."""
    if not node.has("Regex"):
        text = node.need("String").string()
        if not text:
            raise node.child("String").error("the pattern is empty", "give it a text")
        return text, False
    pattern = node.child("Regex").string()
    try:
        check_portable(pattern)
    except TokforgeError as error:
        raise node.child("Regex").error(error.problem, error.hint) from error
    return pattern, True


def _read_bert(node: Node) -> Bert:
    accents = node.child("strip_accents")
    return Bert(
        node.child("clean_text").boolean(default=True),
        node.child("handle_chinese_chars").boolean(default=True),
        None if accents.value is None else accents.boolean(),
        node.child("lowercase").boolean(default=True),
    )


def _read_charsmap(node: Node) -> bytes:
    from tokforge import _core

    try:
        charsmap = base64.b64decode(node.string(), validate=True)
        _core.Normalizer([("precompiled", charsmap)])
    except binascii.Error as error:
        raise node.error(f"it is no base64: {error}") from error
    except TokforgeError as error:
        raise node.error(error.problem, error.hint) from error
    return charsmap


def write_normalizers(steps: Sequence[Normalizer]) -> dict[str, Any] | None:
    """Returns the section; raises ExportError for what Hugging Face has no step for."""
    return sequence("normalizers", [written for step in steps for written in _write(step)])


def _write(step: Normalizer) -> list[dict[str, Any]]:
    match step:
        case str():
            return [{"type": step}]
        case Lowercase() | StripAccents() | Nmt():
            return [{"type": type(step).__name__}]
        case Prepend():
            return [{"type": "Prepend", "prepend": step.text}]
        case Replace():
            pattern = literal_or_regex(step.pattern, is_regex=step.regex)
            return [{"type": "Replace", "pattern": pattern, "content": step.content}]
        case Strip():
            return [{"type": "Strip", "strip_left": step.left, "strip_right": step.right}]
        case Precompiled():
            encoded = base64.b64encode(step.charsmap).decode()
            return [{"type": "Precompiled", "precompiled_charsmap": encoded}]
        case Bert():
            flags = {name: getattr(step, name) for name in Bert.__dataclass_fields__}
            return [{"type": "BertNormalizer", **flags}]
        case SentencePiece():
            return _write_sentencepiece(step)


def _write_sentencepiece(step: SentencePiece) -> list[dict[str, Any]]:
    """The rules that are the same in Hugging Face's steps: spelled spaces, and one in front."""
    other = step.charsmap or step.remove_extra_whitespaces or step.user_defined
    if other or step.treat_whitespace_as_suffix or not step.escape_whitespaces:
        raise ExportError(
            "Hugging Face has no step that normalises as sentencepiece does here",
            "only a model with identity normalisation and no removal of extra white space has an exact form",
        )
    steps: list[Normalizer] = [Prepend(_SPACE)] if step.add_dummy_prefix else []
    return [written for part in (*steps, Replace(" ", _SPACE)) for written in _write(part)]


def literal_or_regex(pattern: str, *, is_regex: bool) -> dict[str, str]:
    """Returns a pattern as tokenizer.json has it."""
    return {"Regex" if is_regex else "String": pattern}


def sequence(name: str, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns parts as one section: nothing, the one, or a Sequence."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"type": "Sequence", name: parts}
