"""Numbers about tokenizers, in dataclasses; nothing here prints."""

from tokforge.metrics.inspect import InspectedMerge, InspectedToken, Inspection, inspect_tokenizer

__all__ = ["InspectedMerge", "InspectedToken", "Inspection", "inspect_tokenizer"]
