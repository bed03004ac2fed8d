"""Slow, readable twins of what the metrics compute with arrays."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log2

from tokforge.metrics.text import UNSPACED

__all__ = ["formed_slow", "gini_slow", "renyi_slow", "spans_slow", "tokens_in_slow", "words_slow"]

_BREAKS = {chr(code) for code in (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))}
_BREAKS |= set("\u2028\u2029\u202f\u205f\u3000\u0f0b")


def words_slow(document: bytes) -> int:
    """Counts words as `tokforge.metrics.text` defines them, a character at a time."""
    words, before = 0, " "
    for char in document.decode("utf-8", "surrogateescape"):
        if char not in _BREAKS:
            mark = unicodedata.category(char)[0] == "M"
            words += before in _BREAKS or _is_unit(char) or (_is_unit(before) and not mark)
        before = char
    return words


def spans_slow(document: bytes, kind: str) -> list[bytes]:
    """Returns the ``lexical`` words, ``numbers`` or ``identifiers`` of a document."""
    text = document.decode("utf-8", "surrogateescape")
    if kind == "identifiers":
        runs = re.findall(r"[A-Za-z0-9_]+", text)
        found = [run for run in runs if not run[0].isascii() or not run[0].isdigit()]
        return [run.encode() for run in found if re.search(r"_|[a-z][A-Z]", run)]
    holds = _is_lexical if kind == "lexical" else lambda char: unicodedata.category(char) == "Nd"
    marked = "".join(char if holds(char) else "\n" for char in text)
    return [run.encode("utf-8", "surrogateescape") for run in marked.split("\n") if run]


def _is_unit(char: str) -> bool:
    inside = any(first <= ord(char) <= last for first, last in UNSPACED)
    return inside and (ord(char) >= 0x20000 or unicodedata.category(char)[0] == "L")


def _is_lexical(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and not _is_unit(char) and ord(char) < 0x20000


def tokens_in_slow(tokens: Sequence[bytes], start: int, end: int) -> int:
    """Returns how many of ``tokens``, laid end to end, hold a byte of ``start:end``."""
    edges = pairwise(accumulate(map(len, tokens), initial=0))
    return sum(first < end and last > start for first, last in edges)


def renyi_slow(tokens: Sequence[object], alpha: float) -> float:
    """Returns the Rényi entropy of the tokens' frequencies in bits; Shannon's for alpha 1."""
    shares = [count / len(tokens) for count in Counter(tokens).values()]
    if alpha == 1:
        return -sum(share * log2(share) for share in shares)
    return log2(sum(share**alpha for share in shares)) / (1 - alpha)


def formed_slow(merges: Sequence[tuple[int, int, int]], counts: Sequence[int]) -> list[int]:
    """Counts every token that is emitted or stands in the merge tree of one that is; one by one."""
    first: dict[int, tuple[int, int]] = {}
    for left, right, merged in merges:
        first.setdefault(merged, (left, right))
    formed = [0] * len(counts)
    for token_id, count in enumerate(counts):
        below = [token_id]
        while below:
            part = below.pop()
            formed[part] += count
            below += first.get(part, ())
    return formed


def gini_slow(costs: Sequence[float]) -> float:
    """Returns the mean difference of all pairs over twice the mean: the definition, quadratic."""
    mean = sum(costs) / len(costs)
    return sum(abs(one - other) for one in costs for other in costs) / (2 * len(costs) ** 2 * mean)
