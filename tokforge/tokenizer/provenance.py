"""Where a tokenizer came from: a small JSON object with known keys, kept as canonical text."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tokforge.errors import ConfigError, UnknownNameError

__all__ = ["PROVENANCE_KEYS", "canonical_json", "check_provenance"]

PROVENANCE_KEYS = {
    "tool_version": "version of tokforge that made it",
    "order": "rule that picked each merge among equals, such as `hf`",
    "unicode_version": "version of the Unicode tables behind the splitter",
    "options": "the trainer's options, resolved",
    "source_shares": "source -> share of the training bytes, 0 to 1",
    "corpus_bytes": "bytes that were trained on",
    "stopped": "why training ended",
    "curation": "what was left out of the inputs, by reason",
    "source_format": "format of another library that it was read from",
    "notes": "what was assumed or left behind in reading it",
    "prefix_of": "vocabulary size of the family member it was cut from",
    "supertokens": "learner of tokens across words, its rules, and the order and counts it went by",
    "extends": "vocabulary size of the tokenizer that training went on from",
    "edits": "what was changed afterwards, in order",
}


def check_provenance(provenance: Mapping[str, Any]) -> str:
    """Returns the canonical text; raises UnknownNameError for another key, ConfigError for no JSON."""
    for key in provenance:
        if key not in PROVENANCE_KEYS:
            close = get_close_matches(str(key), PROVENANCE_KEYS, 1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            raise UnknownNameError(
                f"provenance has no {key!r}", f"{guess}use one of: {', '.join(PROVENANCE_KEYS)}"
            )
    shares = provenance.get("source_shares") or {}
    if not isinstance(shares, Mapping) or not all(_is_share(share) for share in shares.values()):
        raise ConfigError(
            f"source_shares is {shares!r}", "map each source to its share, a number from 0 to 1"
        )
    return canonical_json(dict(provenance))


def canonical_json(value: Any) -> str:
    """Returns JSON text with sorted keys and no spaces; raises ConfigError for what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"provenance is no JSON: {error}", "use strings, numbers, lists and objects"
        ) from error
    return text


def _is_share(share: object) -> bool:
    return isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1
