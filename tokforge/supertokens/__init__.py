"""Supertokens: tokens that span words, by three published learners behind one option.

`random-chunks` (TokenAdapt, arXiv 2505.09738), `superbpe` (2503.13423) and `boundless` (BoundlessBPE,
2504.00178; 2604.05192). All give plain byte-level BPE behind a splitter, which Hugging Face loads.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokforge.supertokens.config import LEARNERS, PUBLISHED_CHUNKS, SupertokensConfig, parse_chunks

if TYPE_CHECKING:
    from tokforge.supertokens.boundaries import PromptBoundaries, prompt_boundaries
    from tokforge.supertokens.spans import WordSpans, word_spans
    from tokforge.supertokens.training import SupertokensResult, train

__all__ = [
    "LEARNERS",
    "PUBLISHED_CHUNKS",
    "PromptBoundaries",
    "SupertokensConfig",
    "SupertokensResult",
    "WordSpans",
    "parse_chunks",
    "prompt_boundaries",
    "train",
    "word_spans",
]

_HOMES = {
    "PromptBoundaries": "boundaries",
    "SupertokensResult": "training",
    "WordSpans": "spans",
    "prompt_boundaries": "boundaries",
    "train": "training",
    "word_spans": "spans",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
