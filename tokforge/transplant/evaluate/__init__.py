"""Measures what a language model knows of text, per byte, so that tokenizers compare.

Reading order: `windows` (fixed pieces of documents), `bits` (a model's bits on them), `figures` (intervals,
ratios), `run`. The module is the function, too: ``tokforge.transplant.evaluate(...)``.
"""

from tokforge.transplant.evaluate.bits import WindowBits, window_bits
from tokforge.transplant.evaluate.figures import Interval, bootstrap
from tokforge.transplant.evaluate.run import EvaluateConfig, Evaluation, evaluate
from tokforge.transplant.evaluate.windows import Window, cut_windows

__all__ = [
    "EvaluateConfig",
    "Evaluation",
    "Interval",
    "Window",
    "WindowBits",
    "bootstrap",
    "cut_windows",
    "evaluate",
    "window_bits",
]
