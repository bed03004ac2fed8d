"""What stands around the model in tokenizer.json, read into a `Pipeline` and written from one.

Byte-level: ``Sequence[Split(Regex, Isolated)..., ByteLevel(use_regex=false)]``; a last stage ``gpt2`` is
        ByteLevel's own regex (``use_regex=true``), the form every reader of GPT-2 knows.
Binary: no pre-tokenizer at all, ByteLevel decoder; fed with `bytes_to_hf`.
Any other: the steps as they are.
"""

import json
from typing import Any, NamedTuple

from tokforge.errors import TokforgeError
from tokforge.tokenizer.formats.hf_decoders import is_byte_level, read_decoders, write_decoders
from tokforge.tokenizer.formats.hf_normalizers import BYTE_LEVEL, read_normalizers, write_normalizers
from tokforge.tokenizer.formats.hf_pretokenizers import (
    byte_level,
    flat_pretokenizers,
    read_stages,
    write_pretokenizers,
)
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.model import PRESERVED, Pipeline

__all__ = ["Around", "read_pipeline", "write_pipeline"]


class Around(NamedTuple):
    """A pipeline, and whether the vocabulary is spelled in the byte alphabet."""

    pipeline: Pipeline
    is_byte_level: bool


def read_pipeline(root: Node) -> Around:
    """Reads the sections around the model; raises FormatError for what cannot be expressed."""
    parts = flat_pretokenizers(root.child("pre_tokenizer"))
    steps, is_spelled = read_normalizers(root.child("normalizer"))
    has_byte_level = any(part.need("type").string() == BYTE_LEVEL for part in parts)
    if is_spelled and parts:
        raise root.child("normalizer").error(
            "after ByteLevel the pre-tokenizer would see spelled bytes, not text",
            "move ByteLevel to its end",
        )
    preserved = tuple((name, root.child(name).text()) for name in PRESERVED if root.has(name))
    is_binary = not parts and not is_spelled and root.has("decoder") and is_byte_level(root.child("decoder"))
    if is_binary:
        if steps:
            raise root.child("normalizer").error(
                "a binary tokenizer cannot normalise bytes", "set the normaliser to null"
            )
        return Around(Pipeline("binary", preserved=preserved), True)
    of_bytes = has_byte_level or is_spelled
    if of_bytes and root.has("decoder") and not is_byte_level(root.child("decoder")):
        raise root.child("decoder").error(
            "the vocabulary is spelled in bytes, but the decoder is another", "use the decoder ByteLevel"
        )
    try:
        stages = tuple(read_stages(parts, is_byte_level=of_bytes))
        decoders = () if of_bytes else read_decoders(root.child("decoder"))
        return Around(Pipeline("text", stages, tuple(steps), preserved, decoders), of_bytes)
    except TokforgeError as error:
        if error.where:
            raise
        raise root.child("pre_tokenizer").error(error.problem, error.hint) from error


def write_pipeline(pipeline: Pipeline, *, is_byte_level: bool) -> dict[str, Any]:
    """Returns the sections of tokenizer.json around the model."""
    preserved = dict(pipeline.preserved)
    is_binary = pipeline.kind == "binary"
    stages = None if is_binary else write_pretokenizers(pipeline.pretokenizers, is_byte_level=is_byte_level)
    decoder = byte_level(use_regex=True) if is_byte_level else write_decoders(pipeline.decoders)
    return {
        "normalizer": write_normalizers(pipeline.normalizers),
        "pre_tokenizer": stages,
        "decoder": decoder,
        **{name: json.loads(preserved[name]) if name in preserved else None for name in PRESERVED},
    }
