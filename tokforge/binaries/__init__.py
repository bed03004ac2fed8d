"""A tokenizer on executables: `inspect_binaries` measures it by section and says what its tokens are."""

from tokforge.binaries.config import InspectBinariesConfig
from tokforge.binaries.inspection import BinaryInspection, inspect_binaries, inspect_documents

__all__ = ["BinaryInspection", "InspectBinariesConfig", "inspect_binaries", "inspect_documents"]
