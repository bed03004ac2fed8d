"""Merges across words: gather what they are learned from, then continue the word stage's merges on it.

Both learners use this; they differ in the splitter, in which tokens may be joined, and in the order. The
engine writes the tokens of all documents to a temporary file (half the size of the text) and gathers
sequences from it, cut at pairs too rare to be merged. How rare is guessed; where training gets down to the
guess, all is gathered again with a lower one, the merges that were learned are made in it, and training goes
on behind them: they are those of the whole sequences, since no rarer pair could have come before.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tokforge.bpe import BpeConfig
from tokforge.bpe.start import Start
from tokforge.bpe.training import spelled
from tokforge.errors import ConfigError
from tokforge.inputs import ByteView, Progress, batches
from tokforge.tokenizer import forbidden_tokens
from tokforge.tokenizer.model import Merge

__all__ = ["Across", "merge_across"]

_STEP = 2
"""By how much the least count falls from one guess to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Across:
    """Merges across words, in their order."""

    merges: Sequence[Merge]
    counts: Sequence[int]
    stopped: str
    least_count: int
    """The result is exact for pairs of this count and more, and there are no others in it."""
    sequences: int
    """Sequences that the last merges were learned from; equal ones may count apart."""


def merge_across(
    start: Start,
    documents: Iterable[ByteView],
    config: BpeConfig,
    *,
    words: Sequence[str],
    rules: Mapping[str, Any],
    size: int,
    eligible: Sequence[bool] | None = None,
    order: Literal["hf", "boundless"] = "hf",
    rivals: Sequence[int] = (),
    progress: Progress | None = None,
) -> Across:
    """Continues ``start``, whose splitter is that of the new stage, to ``size`` tokens.

    ``documents`` is read once; ``words`` is the word stage's splitter. ``eligible``, by id: join
    only whole pretokens that are such a token. Raises ConfigError where nothing can be joined.
    """
    from tokforge import _core

    runs = _core.Runs(
        _core.Splitter(start.pipeline.splitter_names()),
        start.tokens,
        start.merges,
        byte_ids=start.byte_ids,
        folder=tempfile.gettempdir(),
        words=_core.Splitter(words) if words and eligible is None else None,
        eligible=eligible,
        threads=config.thread_count,
        **rules,
    )
    for batch in batches(documents):
        runs.survey(batch)  # unreported: "read" covers the same bytes, and the engine hears Ctrl-C itself
    lowest = max(config.min_frequency, 1)
    least = runs.settle(_expected(size - len(start.tokens), rivals), lowest)
    merges: list[Merge] = []
    counts: list[int] = []
    while True:
        runs.gather(least, size - 1, merges, progress)  # the last id comes last, so that none is behind it
        sequences = len(runs)
        training = _core.train(
            runs,
            tokens=[*start.tokens, *spelled(start.tokens, merges)],
            byte_ids=start.byte_ids,
            merges=[*start.merges, *merges],
            vocab_size=size,
            min_frequency=least,
            max_token_bytes=config.max_token_bytes or None,
            forbidden=forbidden_tokens(start.texts),
            order=order,
            rivals=rivals,
            threads=config.thread_count,
            progress=progress,
            **rules,
        )
        merges, counts = merges + training.merges, counts + training.counts
        if training.stopped == "vocab_size" or least == lowest:
            break
        least = max(lowest, least // _STEP)
    if not merges:
        raise _nothing_joined(training.stopped, lowest)
    return Across(
        merges=merges, counts=counts, stopped=training.stopped, least_count=least, sequences=sequences
    )


def _nothing_joined(stopped: str, lowest: int) -> ConfigError:
    if stopped == "vocab_size":
        return ConfigError(
            "tokens within words fill the table before any superword is as frequent",
            "give a larger vocab_size",
        )
    return ConfigError(
        f"no two neighbouring words occur {lowest} times together",
        "give more text, or learn plain BPE: without spaces between words there may be no superwords",
    )


def _expected(room: int, rivals: Sequence[int]) -> int:
    """About how many merges there will be: of two lists that compete, each takes a part of the room."""
    return max(room // 3, 1) if rivals else room
