"""The vocabulary of a GGUF file as it stands: its keys and its tensors' shapes, never a tensor.

The walk over the file is that of `tokforge.tokenizer.formats.gguf_metadata`; here nothing is refused that
can be read: of a key that stands twice the last counts, and strings that are no UTF-8 keep their bytes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.tokenizer.files import read_file
from tokforge.tokenizer.formats.gguf_metadata import MAGIC, GgufReader

__all__ = ["MAGIC", "GgufHeader", "read_gguf_header"]


@dataclass(slots=True)
class GgufHeader:
    """Keys with their values, and tensor name -> shape (fastest dimension first, as the file has it)."""

    values: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def read_gguf_header(path: Path) -> GgufHeader:
    """Reads the header; raises FormatError where it ends early or names an unknown type."""
    reader = GgufReader(read_file(path), str(path), string_errors="surrogateescape")
    values = {
        key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in reader.pairs()
    }
    return GgufHeader(values, dict(reader.shapes()))
