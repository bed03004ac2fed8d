"""Measures what a language model knows of text, per byte, so that tokenizers compare.

Reading order: `windows` (fixed pieces of documents), `causal` (a loaded model), `bits` (its bits on windows),
`guesses` (what it would say), `figures` (intervals, ratios), `run`. The module is the function, too:
``tokforge.transplant.evaluate(...)``.
"""

from tokforge.transplant.evaluate.bits import WindowBits, window_bits
from tokforge.transplant.evaluate.causal import Causal, Spelled
from tokforge.transplant.evaluate.figures import Interval, bootstrap
from tokforge.transplant.evaluate.guesses import Guess, Question, ask, questions_of, read_questions
from tokforge.transplant.evaluate.run import EvaluateConfig, Evaluation, evaluate
from tokforge.transplant.evaluate.windows import Window, cut_windows

__all__ = [
    "Causal",
    "EvaluateConfig",
    "Evaluation",
    "Guess",
    "Interval",
    "Question",
    "Spelled",
    "Window",
    "WindowBits",
    "ask",
    "bootstrap",
    "cut_windows",
    "evaluate",
    "questions_of",
    "read_questions",
    "window_bits",
]
