"""What a transplant would do, before it is done: rows by class, new tokens in a sample, replace or extend.

The share of token occurrences that are new predicts the damage better than the share of the vocabulary.
The extension is an estimate: of the new tokens, the fewest whose use on the sample saves the old
segmentation as many tokens as the whole new vocabulary does. Linear in the sample.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tokforge.inputs import documents, open_sources
from tokforge.transplant.alignment import Alignment

__all__ = ["Plan", "Sample", "make_plan", "read_sample"]

_SAMPLE_BYTES = 4 << 20
_SEEN = 20
"""Occurrences of a new token after which its row has been trained somewhat: behind the estimate of
healing.
"""
_USABLE = 0.05
"""Share of new occurrences up to which a model is called usable as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What the sample text says."""

    bytes: int
    old_tokens: int
    new_tokens: int
    new_occurrences: float
    """Share of the new segmentation's tokens whose row is not a copy."""
    new_used: int
    """Composed tokens that occur."""
    healing_tokens: int | None
    """Text, in tokens, in which half of them occur 20 times."""
    extension: int | None
    """New tokens that an extension of the old vocabulary would need for the same compression; None if it
    needs none, or cannot reach it."""
    digits_differ: bool
    """Whether the two cut numbers differently: arithmetic suffers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What becomes of the rows, and what to expect."""

    rows: dict[str, int]
    old_rows: int
    new_rows: int
    without_pieces: int
    sample: Sample | None
    recommendation: str

    def as_dict(self) -> dict[str, Any]:
        """Returns the plan as JSON values."""
        return asdict(self)


def read_sample(paths: Sequence[str], field: str | None = None, limit: int = _SAMPLE_BYTES) -> list[str]:
    """Returns documents of UTF-8 text, up to ``limit`` bytes in all, an equal part from each of ``paths``."""
    texts: list[str] = []
    for source in open_sources(paths, field=field) if paths else ():
        left = limit // len(paths)
        for document in documents([source]):
            texts.append(bytes(document.data[:left]).decode("utf-8", "ignore"))
            left -= len(document.data)
            if left <= 0:
                break
    return [text for text in texts if text]


def make_plan(alignment: Alignment, texts: Sequence[str]) -> Plan:
    """Plans a transplant; ``texts`` is the sample, or nothing."""
    sample = _sample(alignment, texts) if texts else None
    return Plan(
        rows=alignment.counts(),
        old_rows=alignment.old_rows,
        new_rows=alignment.rows,
        without_pieces=sum(not pieces for pieces in alignment.pieces.values()),
        sample=sample,
        recommendation=_recommend(sample),
    )


def _sample(alignment: Alignment, texts: Sequence[str]) -> Sample:
    counts: Counter[int] = Counter()
    old_tokens = 0
    for text in texts:
        counts.update(alignment.new.encode(text))
        old_tokens += len(alignment.old.encode(text))
    made = set(alignment.composed.tolist())
    new = {i: n for i, n in counts.items() if i in made}
    total = counts.total()
    return Sample(
        bytes=sum(len(text.encode()) for text in texts),
        old_tokens=old_tokens,
        new_tokens=total,
        new_occurrences=sum(new.values()) / max(total, 1),
        new_used=len(new),
        healing_tokens=_healing(sorted(new.values()), total),
        extension=_extension(alignment, new, old_tokens - total),
        digits_differ=_cuts(alignment, "old") != _cuts(alignment, "new"),
    )


def _healing(counts: list[int], total: int) -> int | None:
    return None if not counts else round(_SEEN * total / counts[len(counts) // 2])


def _extension(alignment: Alignment, counts: dict[int, int], wanted: int) -> int | None:
    """Counts the tokens, best first, whose savings reach ``wanted`` tokens."""
    saved = sorted((n * (len(alignment.pieces[i]) - 1) for i, n in counts.items()), reverse=True)
    total = 0
    for number, saving in enumerate(saved, 1):
        total += saving
        if total >= wanted > 0:
            return number
    return None


def _cuts(alignment: Alignment, which: str) -> int:
    vocabulary = alignment.old if which == "old" else alignment.new
    return max(len(vocabulary.decode([i]).strip()) for i in vocabulary.encode("1234567890"))


def _recommend(sample: Sample | None) -> str:
    if sample is None:
        return "give --text to see what the new segmentation costs, and whether to replace or extend"
    if sample.new_tokens >= sample.old_tokens:
        return "keep the old tokenizer: on the sample the new one needs as many tokens"
    if sample.extension is not None and sample.extension * 4 < sample.new_used:
        saved = 1 - sample.new_tokens / sample.old_tokens
        return (
            f"extend: about {sample.extension:,} tokens added to the old vocabulary save the same {saved:.1%}"
        )
    usable = sample.new_occurrences <= _USABLE
    return "replace" if usable else "replace, then heal: most of the loss is the new segmentation"
