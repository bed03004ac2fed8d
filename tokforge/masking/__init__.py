"""Whole-word masking for any tokenizer and language, mask schedules, and damped cosine learning rates.

Reading order: `segmenters` (text -> word spans), `alignment` (tokens and words -> units), `tokens` (units ->
masked example), `collator` (features -> batch), `schedules`, `clock` (which epoch and step a batch is of),
`trainer` (the callback), `learning_rate`. ``_reference`` is the slow twin of the engine.
"""

from typing import TYPE_CHECKING

from tokforge.lazy import lazy_names

if TYPE_CHECKING:
    from tokforge.masking.alignment import WordAlignment, align_words, character_spans
    from tokforge.masking.collator import WholeWordMaskingCollator
    from tokforge.masking.learning_rate import damped_cosine, damped_cosine_schedule
    from tokforge.masking.schedules import Constant, Cosine, Linear, Schedule, WarmupDecay, schedule_from_dict
    from tokforge.masking.segmenters import SEGMENTERS, word_spans
    from tokforge.masking.tokens import MaskedTokens, MaskingConfig, TokenMasker
    from tokforge.masking.trainer import MaskingCallback

_HOMES = {
    "SEGMENTERS": "segmenters",
    "Constant": "schedules",
    "Cosine": "schedules",
    "Linear": "schedules",
    "MaskedTokens": "tokens",
    "MaskingCallback": "trainer",
    "MaskingConfig": "tokens",
    "Schedule": "schedules",
    "TokenMasker": "tokens",
    "WarmupDecay": "schedules",
    "WholeWordMaskingCollator": "collator",
    "WordAlignment": "alignment",
    "align_words": "alignment",
    "character_spans": "alignment",
    "damped_cosine": "learning_rate",
    "damped_cosine_schedule": "learning_rate",
    "schedule_from_dict": "schedules",
    "word_spans": "segmenters",
}

__all__ = [
    "SEGMENTERS",
    "Constant",
    "Cosine",
    "Linear",
    "MaskedTokens",
    "MaskingCallback",
    "MaskingConfig",
    "Schedule",
    "TokenMasker",
    "WarmupDecay",
    "WholeWordMaskingCollator",
    "WordAlignment",
    "align_words",
    "character_spans",
    "damped_cosine",
    "damped_cosine_schedule",
    "schedule_from_dict",
    "word_spans",
]

__getattr__ = lazy_names(__name__, _HOMES)
