"""Files to ids and back: what ``tokforge encode`` and ``tokforge decode`` do.

Definition: a file is one document of bytes; the ids of all files stand end to end in one array, and
``boundaries`` says where each file's begin. Invariant: nothing is lost and nothing crosses a file:
``decode(ids[boundaries[i]:boundaries[i + 1]])`` is file i, and every id lies in some window of its file.
Complexity: linear. `encode_files` holds all ids; `encode_to_files` a few blocks, whatever the size.
"""

from tokforge.encoding.arrays import index_path, load_ids
from tokforge.encoding.config import DTYPES, EncodeConfig, id_dtype
from tokforge.encoding.decode import DecodeResult, decode_file
from tokforge.encoding.encode import (
    EncodedFile,
    EncodeFigures,
    EncodeResult,
    array_paths,
    encode_files,
    encode_to_files,
)

__all__ = [
    "DTYPES",
    "DecodeResult",
    "EncodeConfig",
    "EncodeFigures",
    "EncodeResult",
    "EncodedFile",
    "array_paths",
    "decode_file",
    "encode_files",
    "encode_to_files",
    "id_dtype",
    "index_path",
    "load_ids",
]
