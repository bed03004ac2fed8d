"""How many rows a model's embeddings have, from the headers of its safetensors files alone.

A header is a length and JSON: tensor name -> dtype, shape, offsets. Only names that are token embeddings in
the field's checkpoints count. Bounded by the headers' size. Source: the safetensors format description.
"""

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EmbeddingShape", "embedding_shapes"]

_EMBEDDING = re.compile(
    r"(^|\.)(embed_tokens|wte|tok_embeddings|word_embeddings|embed_in|lm_head|embed_out|output)\.weight$"
)
_MOST_HEADER_BYTES = 100_000_000
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class EmbeddingShape:
    """One embedding or output matrix: its file, its tensor, its rows."""

    file: str
    tensor: str
    rows: int


def embedding_shapes(folder: Path) -> tuple[EmbeddingShape, ...]:
    """Returns the embeddings in ``folder``'s safetensors; a damaged file is left out, being no tokenizer."""
    found = []
    for path in sorted(folder.glob("*.safetensors"))[:_MOST_FILES]:
        for name, entry in _header(path).items():
            shape = entry.get("shape") if isinstance(entry, dict) else None
            if (
                _EMBEDDING.search(name)
                and isinstance(shape, list)
                and len(shape) == 2
                and type(shape[0]) is int
            ):
                found.append(EmbeddingShape(path.name, name, shape[0]))
    return tuple(found)


def _header(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size)) if size <= _MOST_HEADER_BYTES else {}
    except (OSError, ValueError, struct.error):
        return {}
    return header if isinstance(header, dict) else {}
