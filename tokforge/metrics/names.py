"""Short names for paths that are shown side by side."""

from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["short_names"]

_GENERIC = ("tokenizer", "models", "model", ".", "")


def short_names(paths: Sequence[str]) -> list[str]:
    """Returns for each path its last part that tells it from the others; the path itself if none does.

    Example:
        >>> short_names(["a/qwen3/tokenizer.json", "a/llama/tokenizer.json"])
        ['qwen3', 'llama']
    """
    parts = [[*PurePath(path).parts[:-1], PurePath(path).stem] for path in paths]
    for back in range(1, max(map(len, parts), default=0) + 1):
        names = [part[-back] if len(part) >= back else "" for part in parts]
        if len(set(names)) == len(names) and not set(names) & set(_GENERIC):
            return names
    return list(paths)
