"""Globs and walks equal the standard library's where no link, hidden name or empty file is involved."""

import glob
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge.errors import InputError
from tokforge.inputs import open_sources

names = st.sampled_from(["a", "b", "ab", "a.c", "b.c", "[x]"])
trees = st.lists(st.lists(names, min_size=1, max_size=4).map("/".join), min_size=1, max_size=8)
segments = st.sampled_from(["*", "**", "a", "?", "*.c", "[ab]*", "[!a]", "a*", "[[]x]"])
patterns = st.lists(segments, min_size=1, max_size=4).map("/".join)


def plant(root: Path, tree: list[str]) -> None:
    for name in tree:
        path = root / name
        if not any(parent.is_file() for parent in path.parents) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")


def below(path: str) -> set[str]:
    """All files in a folder, or the file."""
    if Path(path).is_file():
        return {path}
    return {str(Path(folder) / name) for folder, _, files in os.walk(path) for name in files}


@given(trees, patterns)
@settings(max_examples=150, deadline=None)
def test_a_glob_names_what_the_shell_would(tree: list[str], pattern: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), tree)
        matched = glob.glob(f"{glob.escape(folder)}/{pattern}", recursive=True)  # noqa: PTH207
        if "**" in pattern:
            # "a/**" gives "a/" in CPython even where a is a file, which no shell does.
            expected = {path for path in matched if Path(path).is_file() and not path.endswith("/")}
        else:
            expected = set().union(*map(below, matched))
        if not glob.has_magic(pattern):
            return
        try:
            (source,) = open_sources([f"{folder}/{pattern}"])
        except InputError:
            assert not expected
        else:
            assert {str(file.path) for file in source.files} == expected


@given(trees)
@settings(max_examples=50, deadline=None)
def test_a_folder_names_all_its_files_in_order(tree: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), tree)
        (source,) = open_sources([folder])
        assert [str(file.path) for file in source.files] == sorted(below(folder), key=os.fsencode)
        assert not source.skipped
