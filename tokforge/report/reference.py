"""docs/metrics.md, written from the registry: `python -m tokforge.report.reference > docs/metrics.md`."""

import sys
from collections.abc import Iterable

from tokforge.metrics import METRICS
from tokforge.metrics.measures import MEASURES
from tokforge.metrics.registry import Definition

__all__ = ["metrics_page"]

_HEAD = """# Metrics

What `tokforge compare` computes, written from the registry that also feeds its JSON and its report. N
tokens, B bytes, C characters, W words, V ids, c_t occurrences of token t, p_t = c_t / N.

A *character* is a code point. A *word* is a run of characters other than white space, except that each
letter of a script written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) is a word of
its own. A *lexical word* is a run of letters and marks of the other scripts, a *number* a run of decimal
digits, an *identifier* a snake_case or camelCase run of ASCII letters, digits and underscores. Special
tokens are never counted as such: text that spells one is text.

Ratios are ratios of sums over all documents, not means of ratios. Their intervals are the central 95% of a
bootstrap over documents, drawn within each text, the same draw for every tokenizer; two tokenizers are
compared by a sign-flip test over documents. A text of one document has no interval.
"""


def metrics_page(metrics: Iterable[Definition] = (*METRICS.values(), *MEASURES.values())) -> str:
    """Returns the page as Markdown."""
    parts = [_HEAD]
    for metric in metrics:
        better = {
            "higher": "higher is better",
            "lower": "lower is better",
            "none": "describes, does not rank",
        }
        facts = [
            metric.definition,
            f"`{metric.formula}`",
            f"Unit: {metric.unit}; {better[metric.direction]}.",
        ]
        if metric.caveat:
            facts.append(f"*{metric.caveat}*")
        facts.append(f"Source: {metric.source}.")
        parts.append(f"## {metric.title}\n\n`{metric.name}`. " + "\n".join(facts) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
