"""Normalisers, pre-tokenizers and decoders of tokenizer.json, read into a `Pipeline` and written from one.

Text:   ``Sequence[Split(Regex, Isolated)..., ByteLevel(use_regex=false)]``; a last stage ``gpt2`` is
        ByteLevel's own regex (``use_regex=true``), the form every reader of GPT-2 knows.
Binary: no pre-tokenizer at all, ByteLevel decoder; fed with `bytes_to_hf`.
"""

import json
import re
from typing import Any, Literal

from tokforge.errors import ExportError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.model import PRESERVED, Pipeline
from tokforge.tokenizer.normalizers import FORMS, Form
from tokforge.tokenizer.pretokenizers import canonical_stages, stage_patterns

__all__ = ["read_pipeline", "write_pipeline"]

_NOT_YET = "convert the tokenizer to byte-level BPE, or ask for this kind in an issue"


def read_pipeline(root: Node) -> Pipeline:
    """Reads the sections around the model; raises FormatError for what this model cannot express."""
    kind, stages = _read_pretokenizers(root)
    normalizers = _read_normalizers(root.child("normalizer"))
    if kind == "binary" and normalizers:
        raise root.child("normalizer").error(
            "a binary tokenizer cannot normalise bytes", "set the normaliser to null"
        )
    preserved = tuple((name, root.child(name).text()) for name in PRESERVED if root.has(name))
    return Pipeline(kind, stages, normalizers, preserved)


def _read_normalizers(node: Node) -> tuple[Form, ...]:
    if node.value is None:
        return ()
    name = node.need("type").string()
    if name == "Sequence":
        return tuple(inner for part in node.need("normalizers").items() for inner in _read_normalizers(part))
    form = next((known for known in FORMS if known == name), None)
    if form is None:
        raise node.error(f"the normaliser {quoted(name)} is not supported yet", _NOT_YET)
    return (form,)


def _read_pretokenizers(root: Node) -> tuple[Literal["text", "binary"], tuple[str, ...]]:
    _check_decoder(root)
    parts = _flat(root.child("pre_tokenizer"))
    if not parts:
        if not root.has("decoder"):
            raise root.error(
                "neither pre_tokenizer nor decoder is ByteLevel: this is no byte-level BPE", _NOT_YET
            )
        return "binary", ()
    if not any(part.need("type").string() == "ByteLevel" for part in parts):
        raise root.child("pre_tokenizer").error("no ByteLevel in it: this is no byte-level BPE", _NOT_YET)
    *splits, last = parts
    for part in splits:
        if part.need("type").string() == "ByteLevel":
            raise part.error(
                "ByteLevel is not the last step: later ones see spelled bytes, not text", "move it to the end"
            )
    stages = [stage for part in splits for stage in _read_split(part)] + _read_byte_level(last)
    try:
        return "text", canonical_stages(tuple(stages))
    except TokforgeError as error:
        raise root.child("pre_tokenizer").error(error.problem, error.hint) from error


def _check_decoder(root: Node) -> None:
    node = root.child("decoder")
    if node.value is not None and node.need("type").string() != "ByteLevel":
        raise node.error(f"the decoder {quoted(node.child('type').value)} is not supported yet", _NOT_YET)


def _flat(node: Node) -> list[Node]:
    """Returns the steps of a pre-tokenizer, nested sequences opened; depth is bounded by the parser."""
    if node.value is None:
        return []
    if node.need("type").string() != "Sequence":
        return [node]
    return [inner for part in node.need("pretokenizers").items() for inner in _flat(part)]


def _read_byte_level(node: Node) -> list[str]:
    if node.need("type").string() != "ByteLevel":
        raise node.error(
            "it follows ByteLevel and would see spelled bytes, not text", "move ByteLevel to the end"
        )
    if node.need("add_prefix_space").boolean():
        raise node.error(
            "add_prefix_space is not supported yet", "set it to false, and put the space into the text"
        )
    return ["gpt2"] if node.child("use_regex").boolean(default=True) else []


def _read_split(node: Node) -> list[str]:
    name = node.need("type").string()
    if name == "Digits":  # Rust's char::is_numeric is \p{N}
        return [r"regex:\p{N}" if node.need("individual_digits").boolean() else r"regex:\p{N}+"]
    if name != "Split":
        raise node.error(
            f"the pre-tokenizer {quoted(name)} is not supported yet", "write it as a Split with a Regex"
        )
    stage = "regex:" + _read_pattern(node.need("pattern"))
    behavior, invert = node.need("behavior").string(), node.need("invert").boolean()
    # The field's conversions of tiktoken also say "keep the matches, drop the gaps": the same where
    # a pattern leaves no gaps, which is known of the named ones alone.
    covering = behavior == "Removed" and invert and not canonical_stages((stage,))[0].startswith("regex:")
    if behavior != "Isolated" and not covering:
        raise node.child("behavior").error(
            f"{quoted(behavior)} (invert: {invert}) is not supported yet", "use 'Isolated'"
        )
    return [stage]


def _read_pattern(node: Node) -> str:
    if node.has("Regex"):
        return node.child("Regex").string()
    literal = node.need("String").string()
    return re.sub(r"([\\.+*?()|\[\]{}^$&~#-])", r"\\\1", literal)


def write_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    """Returns the sections of tokenizer.json around the model."""
    preserved = dict(pipeline.preserved)
    return {
        "normalizer": _sequence("normalizers", [{"type": name} for name in pipeline.normalizers]),
        "pre_tokenizer": _write_pretokenizers(pipeline),
        "decoder": _byte_level(use_regex=True),
        **{name: json.loads(preserved[name]) if name in preserved else None for name in PRESERVED},
    }


def _write_pretokenizers(pipeline: Pipeline) -> dict[str, Any] | None:
    if pipeline.kind == "binary":
        return None
    stages = [stage for stage in pipeline.pretokenizers if isinstance(stage, str)]
    if len(stages) < len(pipeline.pretokenizers):
        raise ExportError("these pre-tokenizer stages cannot be written yet", "use named splitters")
    own_regex = bool(stages) and stages[-1] == "gpt2"
    splits = [
        _split(pattern) for stage in stages[: len(stages) - own_regex] for pattern in stage_patterns(stage)
    ]
    return _sequence("pretokenizers", [*splits, _byte_level(use_regex=own_regex)])


def _split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _byte_level(*, use_regex: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def _sequence(name: str, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"type": "Sequence", name: parts}
