"""Named corpora where a command takes texts: the name of one that is fetched stands for its folder.

A file or folder of that name comes first, and nothing is ever fetched: a corpus that is not in the cache is
an error that says how to fetch it.
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["corpus_or_path", "each_group", "texts_among"]


def corpus_or_path(path: str | Path) -> Path:
    """Returns ``path``, or the folder of the named corpus that it names: one folder a group below it.

    Raises InputError for a corpus that is not in the cache.
    """
    return _folder(str(path)) or Path(path)


def each_group(paths: Iterable[str | Path]) -> list[Path]:
    """Returns the paths, a named corpus as the folders of its groups, such as its languages."""
    found: list[Path] = []
    for path in paths:
        folder = _folder(str(path))
        found += sorted(folder.iterdir()) if folder else [Path(path)]
    return found


def texts_among(targets: Iterable[Path], texts: Iterable[Path]) -> list[Path]:
    """Returns the targets that are of ``texts``, or below a folder of them: to write them destroys input."""
    read = [path.resolve() for path in texts]
    found = [path for path in targets if path.exists()]
    return [path for path in found if {path.resolve(), *path.resolve().parents} & {*read}]


def _folder(name: str) -> Path | None:
    from tokforge_corpora import corpus_names, exported

    return exported(name) if not Path(name).exists() and name in corpus_names() else None
