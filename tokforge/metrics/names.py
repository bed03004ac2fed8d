"""Short names for paths that are shown side by side."""

from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["short_names"]

_GENERIC = ("tokenizer", "models", "model", ".", "")


def short_names(paths: Sequence[str]) -> list[str]:
    """Returns for each path its last part that is no general word, where those differ; else a part that
    tells all paths apart; else the paths.

    Example:
        >>> short_names(["a/qwen3/tokenizer.json", "b/ours.json"])
        ['qwen3', 'ours']
    """
    parts = [[*PurePath(path).parts[:-1], PurePath(path).stem] for path in paths]
    columns = [[part[-back] if len(part) >= back else "" for part in parts] for back in range(1, 5)]
    for names in ([_telling(part) for part in parts], *columns):
        if len(set(names)) == len(names) and not set(names) & set(_GENERIC):
            return names
    return list(paths)


def _telling(parts: Sequence[str]) -> str:
    return next((part for part in reversed(parts) if part not in _GENERIC), "")
