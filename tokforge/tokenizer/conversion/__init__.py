"""Conversion between formats, proven before it is written.

Reading order: `steps` (the work), `libraries` (the judges), `probes` (what they judge on), `adapt` and
`losses` (what is given up, and what has no place), `result` (the record).
"""

from tokforge.tokenizer.conversion.result import Comparison, Conversion, Difference, Finding
from tokforge.tokenizer.conversion.steps import WRITABLE, ConvertConfig, convert, try_convert

__all__ = [
    "WRITABLE",
    "Comparison",
    "Conversion",
    "ConvertConfig",
    "Difference",
    "Finding",
    "convert",
    "try_convert",
]
