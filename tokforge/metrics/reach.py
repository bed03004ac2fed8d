"""Properties of a vocabulary that need no text: reachability, lengths, the grouping of digits."""

from itertools import pairwise

import numpy as np

from tokforge.metrics.offsets import starts_in
from tokforge.metrics.registry import Metric
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.reach import cut_tokens, rewritten_tokens, unreachable_tokens

__all__ = ["METRICS", "digit_grouping", "lengths", "never_split_to", "unreachable"]

NUMBERS = ("2024", "31415", "100000", "1234567", "86400000", "271828182", "5", "37", "409")


def unreachable(vocabulary: Vocabulary) -> list[int]:
    """Returns the ordinary ids that merging cannot give; empty where the model has no merges."""
    if not vocabulary.tokenizer.merges:
        return []
    return unreachable_tokens(vocabulary.tokenizer)


def never_split_to(vocabulary: Vocabulary) -> dict[int, str]:
    """Returns the ordinary ids that merges can give and no text does -> why; empty where the model has no
    merges.

    Only splitters of regexes and Unicode's normal forms are judged: what others do to a token depends on
    where it stands.
    """
    tokenizer = vocabulary.tokenizer
    if not tokenizer.merges:
        return {}
    ids = np.flatnonzero(vocabulary.ordinary & ~vocabulary.partial)
    whole = {i: vocabulary.tokens[i] for i in ids.tolist()}
    stages = [stage for stage in tokenizer.pipeline.pretokenizers if isinstance(stage, str)]
    is_judged = len(stages) == len(tokenizer.pipeline.pretokenizers)
    rewritten = rewritten_tokens(tokenizer.pipeline.normalizers, whole.values())
    cut = cut_tokens(stages, whole.values()) if is_judged else set()
    reasons = {"the splitter always cuts it": cut, "the normaliser rewrites it": rewritten}
    dead = {i: why for why, found in reasons.items() for i, token in whole.items() if token in found}
    return {i: dead[i] for i in sorted(dead.keys() - set(unreachable(vocabulary)))}


def digit_grouping(tokenizer: Tokenizer) -> str:
    """Returns how numbers are cut, by a probe of nine: ``single digits``, ``threes from the left``,
    ``threes from the right``, or ``learned``.

    Source: the three conventions of published tokenizers (GPT-4, Llama 3; Qwen; Claude 3).
    """
    cuts = [_cut(tokenizer, number) for number in NUMBERS]
    rules = {
        "single digits": [[1] * len(number) for number in NUMBERS],
        "threes from the left": [_threes(number) for number in NUMBERS],
        "threes from the right": [_threes(number)[::-1] for number in NUMBERS],
    }
    return next((name for name, expected in rules.items() if cuts == expected), "learned")


def _threes(number: str) -> list[int]:
    return [min(3, len(number) - at) for at in range(0, len(number), 3)]


def _cut(tokenizer: Tokenizer, number: str) -> list[int]:
    """Returns the digits of each token of ``number``, after a line break.

    The break takes the prefix space that some tokenizers put before a text."""
    starts = starts_in(tokenizer, b"\n" + number.encode())
    edges = sorted({1, *(at for at in starts if at > 1), len(number) + 1})
    return [after - before for before, after in pairwise(edges)]


def lengths(vocabulary: Vocabulary) -> dict[int, int]:
    """Returns length in bytes -> ordinary tokens of that length."""
    sizes, counts = np.unique(vocabulary.sizes[vocabulary.ordinary], return_counts=True)
    return dict(zip(sizes.tolist(), counts.tolist(), strict=True))


def _unreachable(vocabulary: Vocabulary) -> float | None:
    return float(len(unreachable(vocabulary))) if vocabulary.tokenizer.merges else None


def _partial_types(vocabulary: Vocabulary) -> float | None:
    return float((vocabulary.partial & (vocabulary.lengths > 1)).sum())


def _superword_types(vocabulary: Vocabulary) -> float | None:
    return float((vocabulary.ordinary & (vocabulary.words > 1)).sum())


def _mean_bytes(vocabulary: Vocabulary) -> float | None:
    return float(vocabulary.sizes[vocabulary.ordinary].mean())


METRICS = (
    Metric(
        name="vocab_size",
        title="Vocabulary",
        unit="ids",
        direction="none",
        definition="Length of the table: the highest id and one.",
        formula="V",
        source="count",
        function=lambda vocabulary: float(vocabulary.size),
        scope="vocabulary",
        decimals=0,
    ),
    Metric(
        name="mean_token_bytes",
        title="Mean token length",
        unit="bytes",
        direction="none",
        definition="Mean bytes of the ordinary tokens.",
        formula="sum |t| over ordinary t / |{ordinary t}|",
        source="count",
        function=_mean_bytes,
        scope="vocabulary",
    ),
    Metric(
        name="unreachable",
        title="Unreachable tokens",
        unit="tokens",
        direction="lower",
        definition="Ordinary tokens that the merges never give, whatever the text.",
        formula="|{ordinary t: encode(t as one pretoken) != [t]}|",
        source="magikarp, Land and Bartolo 2024, arXiv 2405.05417; on bytes, the splitter apart",
        function=_unreachable,
        scope="vocabulary",
        decimals=0,
        caveat="With ignore_merges a whole pretoken takes its token at once, and fewer are unreachable. "
        "Pieces of byte fallback are left out.",
    ),
    Metric(
        name="partial_utf8_tokens",
        title="Partial-UTF-8 tokens",
        unit="tokens",
        direction="lower",
        definition="Ordinary tokens of two bytes and more that are no UTF-8 by themselves.",
        formula="|{ordinary t: |t| > 1, t is no UTF-8}|",
        source="magikarp's UNDECODEABLE",
        function=_partial_types,
        scope="vocabulary",
        decimals=0,
        caveat="Means nothing for vocabularies of binaries.",
    ),
    Metric(
        name="superword_tokens",
        title="Superword tokens",
        unit="tokens",
        direction="none",
        definition="Ordinary tokens that hold more than one word.",
        formula="|{ordinary t: words(t) > 1}|",
        source="own",
        function=_superword_types,
        scope="vocabulary",
        decimals=0,
    ),
)
