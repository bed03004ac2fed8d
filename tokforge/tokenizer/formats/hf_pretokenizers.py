"""Pre-tokenizers of tokenizer.json: read into stages, written from them.

ByteLevel is a spelling here, and the last step of a byte-level tokenizer: its regex is the stage
``gpt2``, its ``add_prefix_space`` the stage `AddPrefixSpace`.
"""

import re
from collections.abc import Sequence
from typing import Any

from tokforge.errors import ExportError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_decoders import prepend_scheme
from tokforge.tokenizer.formats.hf_normalizers import BYTE_LEVEL, literal_or_regex, read_pattern, sequence
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.pretokenizers import canonical_stages, stage_patterns
from tokforge.tokenizer.stages import (
    AddPrefixSpace,
    BertPreTokenizer,
    Digits,
    Metaspace,
    Punctuation,
    Split,
    Stage,
    Whitespace,
    WhitespaceSplit,
)

__all__ = ["byte_level", "flat_pretokenizers", "read_stages", "write_pretokenizers"]

_BEHAVIORS: dict[str, Any] = {
    "Isolated": "isolated",
    "Removed": "removed",
    "MergedWithPrevious": "merged_with_previous",
    "MergedWithNext": "merged_with_next",
    "Contiguous": "contiguous",
}
_SPELLINGS = {name: spelled for spelled, name in _BEHAVIORS.items()}


def flat_pretokenizers(node: Node) -> list[Node]:
    """Returns the steps, nested sequences opened; depth is bounded by the parser."""
    if node.value is None:
        return []
    if node.need("type").string() != "Sequence":
        return [node]
    return [inner for part in node.need("pretokenizers").items() for inner in flat_pretokenizers(part)]


def read_stages(parts: Sequence[Node], *, is_byte_level: bool) -> list[Stage]:
    """Returns the stages of the steps; the last one of a byte-level tokenizer is ByteLevel."""
    stages: list[Stage] = []
    for number, part in enumerate(parts):
        if part.need("type").string() != BYTE_LEVEL:
            stages += _read(part)
        elif is_byte_level and number == len(parts) - 1:
            stages += _read_byte_level(part)
        else:
            raise part.error(
                "ByteLevel is not the last step: later ones see spelled bytes, not text", "move it to the end"
            )
    return stages


def _read_byte_level(node: Node) -> list[Stage]:
    prefix: list[Stage] = [AddPrefixSpace()] if node.need("add_prefix_space").boolean() else []
    return [*prefix, "gpt2"] if node.child("use_regex").boolean(default=True) else prefix


def _read(node: Node) -> list[Stage]:
    name = node.need("type").string()
    match name:
        case "Split":
            return [_read_split(node)]
        case "Digits":
            individual = node.need("individual_digits").boolean()
            return [r"regex:\p{N}" if individual else r"regex:\p{N}+"]  # Rust's char::is_numeric is \p{N}
        case "Metaspace":
            split = node.child("split").boolean(default=True)
            return [Metaspace(node.need("replacement").string(), prepend_scheme(node), split)]
        case "BertPreTokenizer":
            return [BertPreTokenizer()]
        case "Whitespace":
            return [Whitespace()]
        case "WhitespaceSplit":
            return [WhitespaceSplit()]
        case "Punctuation":
            return [Punctuation(_read_behavior(node) if node.has("behavior") else "isolated")]
        case "CharDelimiterSplit":
            return [Split(node.need("delimiter").string(), "removed", regex=False)]
    raise node.error(
        f"the pre-tokenizer {quoted(name)} is not supported here", "write it as a Split with a Regex"
    )


def _read_behavior(node: Node) -> Any:
    behavior = node.need("behavior").string()
    if behavior not in _BEHAVIORS:
        raise node.child("behavior").error(
            f"there is no behaviour {quoted(behavior)}", f"use one of: {', '.join(_BEHAVIORS)}"
        )
    return _BEHAVIORS[behavior]


def _read_split(node: Node) -> Stage:
    pattern, is_regex = read_pattern(node.need("pattern"))
    behavior, invert = _read_behavior(node), node.need("invert").boolean()
    stage = "regex:" + (pattern if is_regex else _escaped(pattern))
    # The field's conversions of tiktoken also say "keep the matches, drop the gaps": the same where
    # a pattern leaves no gaps, which is known of the named ones alone.
    covering = behavior == "removed" and invert and not canonical_stages((stage,))[0].startswith("regex:")
    if behavior == "isolated" or covering:
        return stage
    return Split(pattern, behavior, invert, is_regex)


def _escaped(literal: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$&~#-])", r"\\\1", literal)


def write_pretokenizers(stages: Sequence[Stage], *, is_byte_level: bool) -> dict[str, Any] | None:
    """Returns the section; raises ExportError where a prefix space stands elsewhere than in ByteLevel."""
    kept = list(stages)
    tail: list[dict[str, Any]] = []
    if is_byte_level:
        own_regex = kept[-1:] == ["gpt2"]
        kept = kept[: len(kept) - own_regex]
        prefix = kept[-1:] == [AddPrefixSpace()]
        kept = kept[: len(kept) - prefix]
        tail = [byte_level(use_regex=own_regex, add_prefix_space=prefix)]
    return sequence("pretokenizers", [*(part for stage in kept for part in _write(stage)), *tail])


def byte_level(*, use_regex: bool, add_prefix_space: bool = False) -> dict[str, Any]:
    """Returns a ByteLevel step."""
    flags = {"add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}
    return {"type": BYTE_LEVEL, **flags}


def _write(stage: Stage) -> list[dict[str, Any]]:
    match stage:
        case str():
            return [_split(pattern, is_regex=True) for pattern in stage_patterns(stage)]
        case Split():
            return [_split(stage.pattern, is_regex=stage.regex, behavior=stage.behavior, invert=stage.invert)]
        case Metaspace():
            fields = {name: getattr(stage, name) for name in ("replacement", "prepend_scheme", "split")}
            return [{"type": "Metaspace", **fields}]
        case BertPreTokenizer() | Whitespace() | WhitespaceSplit():
            return [{"type": type(stage).__name__}]
        case Punctuation():
            return [{"type": "Punctuation", "behavior": _SPELLINGS[stage.behavior]}]
        case Digits():
            return [{"type": "Digits", "individual_digits": stage.individual_digits}]
        case AddPrefixSpace():
            raise ExportError(
                "Hugging Face adds a prefix space only in ByteLevel, after all other steps",
                "move AddPrefixSpace to the end, or drop it",
            )


def _split(
    pattern: str, *, is_regex: bool, behavior: str = "isolated", invert: bool = False
) -> dict[str, Any]:
    spelled = literal_or_regex(pattern, is_regex=is_regex)
    return {"type": "Split", "pattern": spelled, "behavior": _SPELLINGS[behavior], "invert": invert}
