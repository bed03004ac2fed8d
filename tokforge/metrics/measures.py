"""Measures that are no function of a tally: of given words, of a pair, of a text beside another.

They are described as metrics are, so that the page and docs/metrics.md say the same of each.
"""

from tokforge.metrics.registry import Definition

__all__ = ["MEASURES", "WORD_LISTS"]

_STRR = "STRR, arXiv 2510.09947, which does not say whether a space comes before the word"
_BOUNDARIES = "MorphScore, arXiv 2411.14198 (recall alone, and only of words that are split); TokEval"
_GIVEN = "--morphemes FILE; inner boundaries alone, after a space, by bytes"

WORD_LISTS = {
    ("retention", "bare"): Definition(
        name="retention_bare",
        title="Listed words kept whole, at a text's start",
        unit="share",
        direction="higher",
        definition="Share of the words of --words FILE that are a single token at the start of a text.",
        formula="|{w: T(w) is one token}| / |{w}|",
        source=_STRR,
    ),
    ("retention", "spaced"): Definition(
        name="retention_spaced",
        title="Listed words kept whole, after a space",
        unit="share",
        direction="higher",
        definition="Share of the words of --words FILE with no token boundary inside, after a space.",
        formula="|{w: no token of T(' ' w) begins inside w}| / |{w}|",
        source=_STRR,
    ),
    ("morphemes", "precision"): Definition(
        name="morpheme_precision",
        title="Morpheme boundaries, precision",
        unit="share",
        direction="higher",
        definition="Share of the token boundaries inside words that are boundaries of morphemes.",
        formula="|cuts ∩ morpheme boundaries| / |cuts|",
        source=_BOUNDARIES,
        caveat=_GIVEN,
    ),
    ("morphemes", "recall"): Definition(
        name="morpheme_recall",
        title="Morpheme boundaries, recall",
        unit="share",
        direction="higher",
        definition="Share of the boundaries of morphemes that are token boundaries.",
        formula="|cuts ∩ morpheme boundaries| / |morpheme boundaries|",
        source=_BOUNDARIES,
        caveat=_GIVEN,
    ),
    ("morphemes", "f1"): Definition(
        name="morpheme_f1",
        title="Morpheme boundaries, F1",
        unit="share",
        direction="higher",
        definition="The harmonic mean of precision and recall of morpheme boundaries.",
        formula="2 |cuts ∩ morpheme boundaries| / (|cuts| + |morpheme boundaries|)",
        source=_BOUNDARIES,
        caveat=_GIVEN,
    ),
}
"""Part and field of a tokenizer's description -> what it is."""

MEASURES = {
    one.name: one
    for one in (
        *WORD_LISTS.values(),
        Definition(
            name="parity",
            title="Parity",
            unit="ratio",
            direction="lower",
            definition="How many times the cheapest text of a tokenizer another text costs.",
            formula="c_i / min_j c_j, c_i = tokens of text i (--parallel), else its tokens per character",
            source="Petrov et al. 2023, arXiv 2305.15425",
            caveat="Only parallel texts say the same; else it is a stand-in.",
        ),
        Definition(
            name="digit_grouping",
            title="Digit grouping",
            unit="rule",
            direction="none",
            definition="How a run of digits is cut: single digits, threes from either end, or as was learnt.",
            formula="the cuts of nine numbers, each after a line break",
            source="Singh and Strouse 2024, arXiv 2402.14903",
        ),
        Definition(
            name="token_difference",
            title="Tokens of the second",
            unit="share",
            direction="lower",
            definition="Tokens of the second tokenizer over those of the first on all documents, less 1.",
            formula="N_2 / N_1 - 1; p: share of random sign flips with as large a sum of differences",
            source="Koehn 2004 (paired bootstrap); Fisher's permutation test",
        ),
        Definition(
            name="shared_tokens",
            title="Shared tokens",
            unit="share",
            direction="none",
            definition="Tokens that both vocabularies hold, as bytes, over those that either holds.",
            formula="|A ∩ B| / |A ∪ B|",
            source="Jaccard 1901",
        ),
        Definition(
            name="common_merges",
            title="Common first merges",
            unit="merges",
            direction="none",
            definition="Merges from the first on that are the same in both lists, as bytes.",
            formula="max {n: the first n merges of A are those of B}",
            source="own; a whole list found as another's beginning means that one extends the other",
        ),
    )
}
"""Every measure by name."""
