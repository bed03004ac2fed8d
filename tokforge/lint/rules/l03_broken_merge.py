"""L03: A merge that names a token the vocabulary lacks, or that cannot be read.

What it finds:
A merge whose left side, right side or product is not in the vocabulary; one that is no pair of strings; and a
``continuing_subword_prefix`` longer than a merge's right side.

Why it matters:
Hugging Face refuses to load the file ("Token `ac` out of vocabulary"), and with the prefix too long it
panics while slicing (huggingface/tokenizers#2094). llama.cpp and others drop the merge in silence and give
other ids.

How to fix:
Remove the merge together with every later one that needs its product, or restore the token. A merge list from
a vocabulary that was cut (`prune`) must be closed again: each side and each product present.
"""

from collections.abc import Iterator
from itertools import islice

from tokforge.lint.artefact import Artefact
from tokforge.lint.bpe import Bpe
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_LISTED = 20


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields the first broken merges one by one; a file with thousands is broken once."""
    bpe = artefact.bpe
    if bpe:
        yield from islice(_broken(artefact, bpe), _LISTED)


def _broken(artefact: Artefact, bpe: Bpe) -> Iterator[Finding]:
    raw = step(artefact.tokenizer.value, "model", "merges") if artefact.tokenizer else None
    vocab, prefix = bpe.vocab, bpe.prefix
    for number, pair in enumerate(bpe.merges):
        if pair and not prefix and pair[0] in vocab and pair[1] in vocab and pair[0] + pair[1] in vocab:
            continue  # nearly all of half a million
        place = bpe.merges_place.at(number)
        if pair is None:
            # A string with too many spaces is L18's, and line 0 of merges.txt is its header.
            if raw is not None and not isinstance(raw[number], str):
                yield RULE.finding(place, raw[number], "a merge is a pair of strings", "remove or correct it")
            continue
        if len(prefix) > len(pair[1]):
            message = f"the prefix {prefix!r} is longer than the right side: Hugging Face panics at load"
            yield RULE.finding(place, " ".join(pair), message, "set continuing_subword_prefix to null")
            continue
        missing = next((part for part in (*pair, bpe.merged(pair)) if part not in vocab), None)
        if missing is not None:
            yield RULE.finding(
                place,
                " ".join(pair),
                f"{missing!r} is not in the vocabulary: Hugging Face refuses the file",
                "restore the token, or remove this merge and those that need its product",
            )


RULE = Rule("L03", "broken-merge", "error", check, __doc__)
