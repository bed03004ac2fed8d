"""Supertokens: tokens that span words, by three published learners behind one option.

`random-chunks` (TokenAdapt, arXiv 2505.09738), `superbpe` (2503.13423) and `boundless` (BoundlessBPE,
2504.00178; 2604.05192). All give plain byte-level BPE behind a splitter, which Hugging Face loads.
"""

from typing import TYPE_CHECKING

from tokforge.lazy import lazy_names
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

__getattr__ = lazy_names(__name__, _HOMES)
