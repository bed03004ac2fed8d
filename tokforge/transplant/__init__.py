"""Gives a language model a new tokenizer, and says what that did to it.

Reading order: `vocabulary` and `alignment` (which new token is which old one), `checkpoint` and `layout`
(which
tensors have rows), `method` and `methods/` (one file a way to make new rows), `rows`, `surgery` (writing),
`verify` and `running` (checking), `run`. The module is the function, too: ``tokforge.transplant(...)``.
"""

import sys
from types import ModuleType

from tokforge.transplant.alignment import Alignment, align
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.config import TransplantConfig
from tokforge.transplant.gguf_model import import_gguf
from tokforge.transplant.methods import METHODS
from tokforge.transplant.plan import Plan
from tokforge.transplant.run import Transplant, compose, transplant
from tokforge.transplant.verify import Check
from tokforge.transplant.vocabulary import Vocabulary

__all__ = [
    "METHODS",
    "Alignment",
    "Check",
    "Checkpoint",
    "Plan",
    "Transplant",
    "TransplantConfig",
    "Vocabulary",
    "align",
    "compose",
    "import_gguf",
    "transplant",
]


class _Callable(ModuleType):
    """`import tokforge.transplant` binds this module to the name of the function: one object must be both."""

    __call__ = staticmethod(transplant)


_module = sys.modules[__name__]
_module.__class__ = _Callable
setattr(_module, "transplant", _module)  # noqa: B010  (a type checker may go on to see the function)
