"""How much text a token holds. Sums over all documents, never means of ratios."""

from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import Tally

__all__ = ["METRICS", "ratio"]


def ratio(numerator: float, denominator: float) -> float | None:
    """Returns the quotient, or None where there is nothing to divide by."""
    return numerator / denominator if denominator else None


def _bytes_per_token(tally: Tally) -> float | None:
    return ratio(tally.bytes, tally.total)


def _characters_per_token(tally: Tally) -> float | None:
    return ratio(tally.characters, tally.total)


def _words_per_token(tally: Tally) -> float | None:
    return ratio(tally.words, tally.total)


def _fertility(tally: Tally) -> float | None:
    return ratio(tally.total, tally.words)


def _tokens(tally: Tally) -> float | None:
    return float(tally.total)


METRICS = (
    Metric(
        name="bytes_per_token",
        title="Bytes per token",
        unit="bytes/token",
        direction="higher",
        definition="UTF-8 bytes of the text for each token it becomes.",
        formula="B / N",
        source="TokEval (compression rate; once a mean of ratios, now a ratio of sums, as here)",
        function=_bytes_per_token,
        caveat="Across languages it mixes in the width of UTF-8: 1 byte Latin, 2 Cyrillic, 3 Han.",
        per_document="bytes",
    ),
    Metric(
        name="characters_per_token",
        title="Characters per token",
        unit="characters/token",
        direction="higher",
        definition="Code points of the text for each token; a byte that is no UTF-8 counts as one.",
        formula="C / N",
        source="TokEval",
        function=_characters_per_token,
        per_document="characters",
    ),
    Metric(
        name="words_per_token",
        title="Words per token",
        unit="words/token",
        direction="higher",
        definition="Words of the text for each token.",
        formula="W / N",
        source="inverse of fertility",
        function=_words_per_token,
        caveat="In scripts without spaces each letter counts as a word.",
        per_document="words",
    ),
    Metric(
        name="fertility",
        title="Fertility",
        unit="tokens/word",
        direction="lower",
        definition="Tokens for each word; below 1 where tokens span words.",
        formula="N / W",
        source="Rust et al. 2021, arXiv 2012.15613; tokka-bench's units for scripts without spaces",
        function=_fertility,
        caveat="In scripts without spaces each letter counts as a word; compare within a language only.",
        per_document="words",
        inverse=True,
    ),
    Metric(
        name="tokens",
        title="Tokens",
        unit="tokens",
        direction="lower",
        definition="Tokens that the whole text becomes.",
        formula="N",
        source="count",
        function=_tokens,
        decimals=0,
    ),
)
