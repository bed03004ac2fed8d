"""How one vocabulary cuts a token of another: without what surrounds a whole text.

A token is cut as it would be inside a text, so nothing may be put in front (``add_prefix_space``, Metaspace's
first mark, sentencepiece's dummy prefix) and no added token may be found. The splitter stays: a model
has never seen digits joined, or words joined, that its splitter keeps apart.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["bare_settings", "continuing_pieces"]

_AROUND = ("truncation", "padding", "post_processor")


def bare_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns a tokenizer.json's content that cuts a token as if it stood inside a text."""
    bare = {**settings, **dict.fromkeys(_AROUND), "added_tokens": []}
    bare["normalizer"] = _without_prefix(settings.get("normalizer"))
    bare["pre_tokenizer"] = _without_prefix(settings.get("pre_tokenizer"))
    bare["model"] = (
        {**settings["model"], "dropout": None} if "dropout" in settings["model"] else settings["model"]
    )
    return bare


def _without_prefix(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    kind = step.get("type")
    if kind == "Sequence":
        name = "normalizers" if "normalizers" in step else "pretokenizers"
        return {
            **step,
            name: [_without_prefix(one) for one in step[name] if one.get("type") not in _PREFIXES],
        }
    if kind in _PREFIXES:
        return None
    if kind == "Metaspace":
        return {key: value for key, value in step.items() if key != "add_prefix_space"} | {
            "prepend_scheme": "never"
        }
    return {**step, "add_prefix_space": False} if "add_prefix_space" in step else step


_PREFIXES = ("Prepend", "Strip")


def continuing_pieces(key: bytes, index: Mapping[bytes, int]) -> list[int]:
    """Cuts the inside of a word as WordPiece does: the longest token from the left; [] if one is missing.

    Example:
        >>> continuing_pieces(b"ings", {b"ing": 5, b"s": 6, b"i": 7})
        [5, 6]
    """
    ids: list[int] = []
    at = 0
    while at < len(key):
        end = next((end for end in range(len(key), at, -1) if key[at:end] in index), at)
        if end == at:
            return []
        ids.append(index[key[at:end]])
        at = end
    return ids
