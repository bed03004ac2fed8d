"""What the tokens are pieces of: words, identifiers, numbers, characters, several words."""

from collections.abc import Callable

import numpy as np

from tokforge.metrics.compression import ratio
from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import SpanCount, Tally

__all__ = ["METRICS", "WORD_SHARES"]

_WORDS = {
    "two_word_share": ("two words", 2, 2),
    "three_word_share": ("three words", 3, 3),
    "four_word_share": ("four words or more", 4, None),
}
"""Metric -> the words that its tokens hold: said, at least, at most."""

WORD_SHARES = tuple(_WORDS)
"""Shares of the tokens by the words they hold, from the fewest words on."""

MOST_LEFT = 0.05
"""Share of spans that a figure may leave out: beyond it, it is of other words than its neighbours."""


def _of_spans(part: int, count: SpanCount) -> float | None:
    """Returns ``part`` per span; None where too many spans are not counted."""
    return None if count.left > MOST_LEFT * (count.spans + count.left) else ratio(part, count.spans)


def _split_words(tally: Tally) -> float | None:
    return _of_spans(tally.lexical.spans - tally.lexical.whole, tally.lexical)


def _split_identifiers(tally: Tally) -> float | None:
    return _of_spans(tally.identifiers.spans - tally.identifiers.whole, tally.identifiers)


def _tokens_per_identifier(tally: Tally) -> float | None:
    return _of_spans(tally.identifiers.tokens, tally.identifiers)


def _tokens_per_number(tally: Tally) -> float | None:
    return _of_spans(tally.numbers.tokens, tally.numbers)


def _fallback(tally: Tally) -> float | None:
    return ratio(int(tally.counts[tally.vocabulary.fallback].sum()), tally.total)


def _partial(tally: Tally) -> float | None:
    return ratio(int(tally.counts[tally.vocabulary.partial].sum()), tally.total)


def _superwords(tally: Tally) -> float | None:
    vocabulary = tally.vocabulary
    sizes = tally.counts * vocabulary.sizes
    return ratio(int(sizes[vocabulary.words > 1].sum()), int(sizes.sum()))


def _of_words(least: int, most: int | None = None) -> Callable[[Tally], float | None]:
    """Returns the metric that takes the share of the tokens with ``least`` words, to ``most`` words."""

    def share(tally: Tally) -> float | None:
        words = tally.vocabulary.words
        chosen = (words >= least) & (words <= (most or words.max(initial=0)))
        return ratio(int(tally.counts[chosen].sum()), tally.total)

    return share


def _token_length(tally: Tally) -> float | None:
    used = tally.vocabulary.sizes[np.flatnonzero(tally.counts)]
    return ratio(int(used.sum()), len(used))


METRICS = (
    Metric(
        name="split_word_share",
        title="Words split",
        unit="share",
        direction="lower",
        definition="Share of the lexical words (runs of letters) with a token boundary inside.",
        formula="|{w: a token begins inside w}| / |{w}|",
        source="tokka-bench, which encodes each word alone; here in running text, so ' the' counts as whole",
        function=_split_words,
        caveat="A word inside a token of several words counts as whole. Not for scripts without spaces.",
    ),
    Metric(
        name="split_identifier_share",
        title="Identifiers split",
        unit="share",
        direction="lower",
        definition="Share of snake_case and camelCase identifiers with a token boundary inside.",
        formula="|{i: a token begins inside i}| / |{i}|",
        source="own",
        function=_split_identifiers,
    ),
    Metric(
        name="tokens_per_identifier",
        title="Tokens per identifier",
        unit="tokens",
        direction="lower",
        definition="Tokens that hold a byte of a snake_case or camelCase identifier.",
        formula="sum of tokens touching i / |{i}|",
        source="own",
        function=_tokens_per_identifier,
    ),
    Metric(
        name="tokens_per_number",
        title="Tokens per number",
        unit="tokens",
        direction="none",
        definition="Tokens that hold a byte of a run of decimal digits.",
        formula="sum of tokens touching n / |{n}|",
        source="own; how digits are grouped stands beside it",
        function=_tokens_per_number,
        caveat="Fewer is cheaper; one digit a token helps arithmetic.",
    ),
    Metric(
        name="byte_fallback_share",
        title="Byte-fallback tokens",
        unit="share",
        direction="lower",
        definition="Share of the tokens, as they occur, that are one byte and no ASCII character.",
        formula="sum of c_t over one-byte t >= 0x80 / N",
        source="TokEval's unknown and fallback counts, for byte-level vocabularies",
        function=_fallback,
    ),
    Metric(
        name="partial_utf8_share",
        title="Partial characters",
        unit="share",
        direction="lower",
        definition="Share of the tokens, as they occur, that begin or end inside a character.",
        formula="sum of c_t over t that are no UTF-8 / N",
        source="magikarp's UNDECODEABLE, by occurrence",
        function=_partial,
        caveat="Means nothing on binaries.",
    ),
    Metric(
        name="superword_share",
        title="Superwords",
        unit="share",
        direction="none",
        definition="Share of the text's bytes inside tokens that hold more than one word.",
        formula="sum of c_t |t| over t with 2 or more words / sum of c_t |t|",
        source="own; SuperBPE, arXiv 2503.13423, and BoundlessBPE, arXiv 2504.00178, make such tokens",
        function=_superwords,
    ),
    *(
        Metric(
            name=name,
            title=f"Tokens of {words}",
            unit="share",
            direction="none",
            definition=f"Share of the tokens, as they occur, that hold {words}.",
            formula=f"sum of c_t over t with {words} / N",
            source="own; the report and the JSON list the commonest (superwords)",
            caveat="A word is a run without white space with a letter or digit; without spaces all is one.",
            function=_of_words(least, most),
        )
        for name, (words, least, most) in _WORDS.items()
    ),
    Metric(
        name="used_token_bytes",
        title="Mean length of used tokens",
        unit="bytes",
        direction="none",
        definition="Mean bytes of the distinct tokens that the text uses.",
        formula="sum of |t| over used t / |{t: c_t > 0}|",
        source="TokEval (token length)",
        function=_token_length,
    ),
)
