"""Numbers about tokenizers, in dataclasses; nothing here prints.

Reading order: `text` (what a word is), `tally` (the one pass), the families of metrics (`compression`,
`entropy`, `usage`, `pieces`, `fairness`, `reach`, `speed`), `registry`, `measure`, `comparison`.
"""

from tokforge.metrics.comparison import CompareConfig, Comparison, compare
from tokforge.metrics.inspect import InspectedMerge, InspectedToken, Inspection, inspect_tokenizer
from tokforge.metrics.measure import METRICS
from tokforge.metrics.registry import Metric

__all__ = [
    "METRICS",
    "CompareConfig",
    "Comparison",
    "InspectedMerge",
    "InspectedToken",
    "Inspection",
    "Metric",
    "compare",
    "inspect_tokenizer",
]
