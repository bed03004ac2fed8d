"""Folders and globs: which files they name, in which order, and what is said of the rest."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tokforge.errors import InputError
from tokforge.inputs import Remark, open_sources


def paths(root: Path, name: str | Path, **options: Any) -> list[str]:
    (source,) = open_sources([name], **options)
    return [os.fsdecode(os.fsencode(file.path.relative_to(root))) for file in source.files]


def reasons(name: str | Path, **options: Any) -> dict[str, str]:
    (source,) = open_sources([name], **options)
    return {Path(remark.path).name: remark.reason for remark in source.skipped}


def plant(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def test_order_is_that_of_the_relative_paths_bytes(tmp_path: Path) -> None:
    plant(tmp_path, "b", "a/z", "a.txt", "a-b", "B", "a/é", ".hidden/x")
    expected = sorted(["b", "a/z", "a.txt", "a-b", "B", "a/é", ".hidden/x"], key=os.fsencode)
    assert paths(tmp_path, tmp_path) == expected


def test_a_name_that_is_no_utf8_is_read_and_printed_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.bin")
    try:
        (tmp_path / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (tmp_path / "empty").write_bytes(b"")
    (source,) = open_sources([tmp_path / name])
    assert source.name.endswith(r"\xff\xfe.bin")
    assert paths(tmp_path, tmp_path) == [name]


def test_empty_files_and_what_is_no_file_are_reported(tmp_path: Path) -> None:
    plant(tmp_path, "kept")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # socket paths are at most about 100 bytes
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
        assert reasons(tmp_path) == {
            "empty": "is empty",
            "fifo": "is a named pipe, not a regular file",
            "sock": "is a socket, not a regular file",
        }


def test_symlinks_are_followed_once_and_real_names_win(tmp_path: Path) -> None:
    plant(tmp_path, "z/real", "outside/one", "tree/own")
    tree = tmp_path / "tree"
    (tree / "a-link").symlink_to("own")
    (tree / "folder").symlink_to("../outside")
    (tree / "folder-again").symlink_to("../outside")
    (tree / "broken").symlink_to("nowhere")
    assert paths(tree, tree) == ["folder/one", "own"]
    assert reasons(tree) == {
        "a-link": f"is the same file as {tree}/own, which is read",
        "folder-again": f"is the same folder as {tree}/folder, which is read",
        "broken": "is a broken symlink to nowhere",
    }
    assert paths(tree, tree, follow_symlinks=False) == ["own"]
    assert set(reasons(tree, follow_symlinks=False).values()) == {"is a symlink"}


def test_symlink_loops_end_and_are_reported(tmp_path: Path) -> None:
    plant(tmp_path, "root/sub/file", "sibling")
    root = tmp_path / "root"
    (root / "sub" / "up").symlink_to("..")
    (root / "above").symlink_to(tmp_path)
    (root / "self").symlink_to("self")
    (root / "ping").symlink_to("pong")
    (root / "pong").symlink_to("ping")
    assert paths(root, root) == ["sub/file"]
    assert reasons(root) == {
        "up": f"is a symlink loop: it leads back to {root}",
        "above": f"is a symlink loop: it leads back to {tmp_path}",
        "self": "is a symlink loop",
        "ping": "is a symlink loop",
        "pong": "is a symlink loop",
    }


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    plant(tmp_path, "in/x/f", "out/y/g")
    (tmp_path / "in/x/to-out").symlink_to(tmp_path / "out")
    (tmp_path / "out/y/to-in").symlink_to(tmp_path / "in")
    root = tmp_path / "in"
    assert paths(root, root) == ["x/f", "x/to-out/y/g"]
    assert reasons(root) == {"to-in": f"is the same folder as {root}, which is read"}


def test_a_hard_link_is_read_once(tmp_path: Path) -> None:
    plant(tmp_path, "b", "c")
    os.link(tmp_path / "b", tmp_path / "a")
    assert paths(tmp_path, tmp_path) == ["a", "c"]
    assert reasons(tmp_path) == {"b": f"is the same file as {tmp_path}/a, which is read"}


@pytest.mark.parametrize("folder", [False, True])
def test_what_may_not_be_read_is_reported_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    plant(tmp_path, "locked/file", "open")
    locked = tmp_path / "locked" if folder else tmp_path / "locked/file"
    real_access, real_scandir = os.access, os.scandir

    def scandir(path: Path) -> object:  # chmod stops nobody who runs the tests as root
        if folder and Path(path) == locked:
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked and real_access(path, mode))
    assert paths(tmp_path, tmp_path) == ["open"]
    assert reasons(tmp_path) == {locked.name: "permission denied"}


def test_a_folder_deeper_than_the_recursion_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "anchor").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):  # step by step, as the shell would
        Path("d").mkdir()
        os.chdir("d")
    Path("file").write_bytes(b"x")
    os.chdir(tmp_path)
    (source,) = open_sources([tmp_path])
    assert [file.path.name for file in source.files] == ["anchor", "file"]
    source.files[1].path.unlink()
    os.removedirs(source.files[1].path.parent)  # pytest's own removal recurses


GLOBS = [
    ("*.txt", ["a.txt", "b.txt"]),
    ("[ab].txt", ["a.txt", "b.txt"]),
    ("?.txt", ["a.txt", "b.txt"]),
    ("**/*.txt", ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"]),
    ("sub/**", ["sub/c.txt", "sub/deep/d.txt", "sub/e.py"]),
    ("s*", ["sub/c.txt", "sub/deep/.h", "sub/deep/d.txt", "sub/e.py"]),  # as the shell expands it
    ("*/*.py", ["sub/e.py"]),
    (".h*", [".hidden.txt"]),
    ("**/.h", ["sub/deep/.h"]),
    ("**/deep/**/*.txt", ["sub/deep/d.txt"]),
]


@pytest.mark.parametrize(("pattern", "expected"), GLOBS)
def test_globs(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    plant(tmp_path, "a.txt", "b.txt", ".hidden.txt", "sub/c.txt", "sub/deep/d.txt", "sub/deep/.h", "sub/e.py")
    assert paths(tmp_path, f"{tmp_path}/{pattern}") == expected


def test_a_relative_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "x/a.c", "x/b.h")
    monkeypatch.chdir(tmp_path)
    (source,) = open_sources(["*/*.c"])
    assert source.name == "*/*.c"
    assert [str(file.path) for file in source.files] == ["x/a.c"]


def test_a_path_that_exists_wins_over_its_reading_as_a_glob(tmp_path: Path) -> None:
    plant(tmp_path, "[a].txt", "a.txt")
    assert paths(tmp_path, f"{tmp_path}/[a].txt") == ["[a].txt"]


def test_a_glob_walks_no_loop(tmp_path: Path) -> None:
    plant(tmp_path, "a/f.c")
    (tmp_path / "a/up1").symlink_to("..")
    (tmp_path / "a/up2").symlink_to("..")
    assert paths(tmp_path, f"{tmp_path}/**/*.c") == ["a/f.c"]


def test_a_glob_says_nothing_of_what_it_does_not_match(tmp_path: Path) -> None:
    plant(tmp_path, "a.c")
    (tmp_path / "empty.c").touch()
    (tmp_path / "empty.h").touch()
    (tmp_path / "broken.h").symlink_to("nowhere")
    (source,) = open_sources([f"{tmp_path}/*.c"])
    assert source.skipped == [Remark(path=f"{tmp_path}/empty.c", reason="is empty")]


@pytest.mark.parametrize("pattern", ["*.nothing", "missing/*.c", "**/x"])
def test_a_glob_without_a_match_is_an_error(tmp_path: Path, pattern: str) -> None:
    plant(tmp_path, "a.c")
    with pytest.raises(InputError, match=r"matches no file|is not a folder"):
        open_sources([f"{tmp_path}/{pattern}"])


def test_many_stars_take_no_exponential_time(tmp_path: Path) -> None:
    plant(tmp_path, "/".join("a" * 40) + "/f")
    with pytest.raises(InputError, match="matches no file"):
        open_sources([f"{tmp_path}/" + "**/a/" * 30 + "nothing"])
