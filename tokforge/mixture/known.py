"""Merge lists of public tokenizers by their prefixes, so that an inherited vocabulary is not read as data.

Many tokenizers begin with the merges of another (Qwen and Llama 3 with cl100k's, GPT-3 and many others
with GPT-2's, and gpt-oss has o200k's). The shares read out of such merges are those of the first trainer's
data. The table holds hashes of the first tokens in merge order at a few lengths. Tokens with digits are
passed over, for some heirs drop them (Qwen cuts numbers into single digits).
``python -m benches mixture-known`` makes the table.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from tokforge.tokenizer.model import Merge

__all__ = ["LENGTHS", "inherited", "known_prefixes", "prefix_hashes"]

_DIGIT = re.compile(rb"[0-9]")
LENGTHS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
"""Merges, those of digits not counted, after which a prefix is hashed."""


def prefix_hashes(merges: Sequence[Merge], tokens: Sequence[bytes]) -> dict[int, str]:
    """Returns length -> hash of the tokens that the first so many merges make, in order."""
    digest, hashes = blake2b(digest_size=8), {}
    kept = (tokens[merged] for _, _, merged in merges)
    for number, token in enumerate((one for one in kept if not _DIGIT.search(one)), 1):
        digest.update(len(token).to_bytes(4, "little") + token)
        if number in LENGTHS:
            hashes[number] = digest.hexdigest()
    return hashes


def known_prefixes(merges: Sequence[Merge], tokens: Sequence[bytes]) -> dict[str, int]:
    """Returns each public tokenizer that the list begins with, and for how many merges at least.

    The shortest comes first: Llama 3 begins with cl100k, and later with what is its own.
    """
    table, found = _table(), {}
    for length, value in prefix_hashes(merges, tokens).items():
        if owner := table.get(f"{length}:{value}"):
            found[owner] = length
    return found


def inherited(merges: Sequence[Merge], tokens: Sequence[bytes]) -> list[str]:
    """Says which public tokenizers the list begins with, and for how many merges; nothing if with none."""
    prefixes = known_prefixes(merges, tokens)
    if not prefixes:
        return []
    named = ", ".join(
        f"the first {length:,} merges or more are those of {name}" for name, length in prefixes.items()
    )
    return [
        f"{named}: they tell of its training data; "
        "use --first to judge the merges behind them alone, if this tokenizer is another"
    ]


@cache
def _table() -> dict[str, str]:
    """``length:hash`` -> name of the tokenizer."""
    content: dict[str, str] = json.loads(files("tokforge.mixture").joinpath("known.json").read_text())
    return content
