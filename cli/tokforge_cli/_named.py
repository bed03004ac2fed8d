"""What the names of inputs stand for: of a corpus that is fetched its folder, of a tokenizer its files.

A file or folder of that name comes first, and nothing is ever fetched: a corpus that is not in the cache is
an error that says how to fetch it.
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["corpus_or_path", "each_group", "tokenizer_files"]


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


def tokenizer_files(*tokenizers: str | Path | None) -> list[Path]:
    """Returns the files that loading these tokenizers reads: what no output may replace."""
    from tokforge.tokenizer.files import files_of

    return [file for tokenizer in tokenizers if tokenizer for file in files_of(tokenizer)]


def _folder(name: str) -> Path | None:
    from tokforge_corpora import corpus_names, exported

    return exported(name) if not Path(name).exists() and name in corpus_names() else None
