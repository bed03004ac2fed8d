"""What the page's script needs, as JSON that cannot end the element it stands in.

The vocabularies are deflated, since they are most of the page: the browser inflates them when the list is
first opened. Where all of them would make the page too heavy, the most used tokens are listed, and the
page says how many of how many.
"""

import json
import zlib
from base64 import b64encode
from typing import Any

import numpy as np

from tokforge.metrics import Comparison
from tokforge.metrics.samples import Sample
from tokforge.metrics.tally import Tally
from tokforge.metrics.usage import residue_suspects
from tokforge.tokenizer import printable

__all__ = ["MAX_VOCABULARY_BYTES", "safe_json", "sample_data", "vocabulary_data"]

MAX_VOCABULARY_BYTES = 3_400_000
"""Most characters that the deflated vocabularies take in the page."""
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029\x7f"}


def safe_json(value: Any) -> str:
    """Returns JSON without ``<``, ``>`` and ``&``, which ends no script element and opens no comment."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


def sample_data(sample: Sample) -> dict[str, Any]:
    """Returns a passage and each tokenizer's cuts, by number of the tokenizer."""
    return {
        "category": sample.category,
        "bytes": b64encode(sample.data).decode(),
        "binary": sample.binary,
        "start": sample.start,
        "sections": [list(section) for section in sample.sections],
        "tokens": [
            {"ids": one.ids, "starts": one.starts, "bytes": one.changed and b64encode(one.changed).decode()}
            for one in sample.tokens.values()
        ],
    }


def vocabulary_data(comparison: Comparison) -> str:
    """Returns the vocabularies as base64 of a deflated JSON list, by number of the tokenizer."""
    totals = list(comparison.totals.values())
    each = max(1, 420_000 // max(1, len(totals)))
    while True:
        text = json.dumps(
            [_listed(total, each) for total in totals], ensure_ascii=False, separators=(",", ":")
        )
        packed = b64encode(zlib.compress(text.encode(), 9)).decode()
        if len(packed) <= MAX_VOCABULARY_BYTES or each < 1000:
            return packed
        each = each * 3 // 4


def _listed(total: Tally, most: int) -> dict[str, Any]:
    vocabulary = total.vocabulary
    suspects = set(residue_suspects(vocabulary, total.counts).tolist())
    used = np.argsort(-total.counts, kind="stable")[:most]
    ids = np.sort(used).tolist()
    return {
        "ids": [ids[0], *np.diff(ids).tolist()] if ids else [],
        "texts": [printable(vocabulary.tokens[i]) for i in ids],
        "counts": total.counts[ids].tolist(),
        "residue": [at for at, i in enumerate(ids) if i in suspects],
        "special": [at for at, i in enumerate(ids) if not vocabulary.ordinary[i]],
        "of": vocabulary.size,
    }
