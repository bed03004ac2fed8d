"""Outputs appear whole or not at all, and never in the place of something else."""

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tokforge.errors import OutputError
from tokforge.outputs import check_output, write_atomically, write_files, write_together


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a") as file:
        file.write(b"whole")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(stop: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(stop), write_together(tmp_path / "a", tmp_path / "b", force=True) as (first, second):
        first.write(b"new")
        second.write(b"new")
        raise stop
    assert (names(tmp_path), (tmp_path / "a").read_bytes()) == (["a"], b"old")


@pytest.mark.parametrize("failing", ["flush", "fsync"])
def test_a_full_disk_is_an_output_error(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError) as caught, write_atomically(tmp_path / "a") as file:
        if failing == "flush":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        monkeypatch.setattr(os, "fsync", full)
        file.write(b"x")
    assert caught.value.problem == "cannot be written: no space left on device"
    assert "free some space" in caught.value.hint
    assert caught.value.where == str(tmp_path / "a")
    assert names(tmp_path) == []


def test_a_limit_of_the_system_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = (
        "import resource\n"
        "from tokforge.errors import OutputError\n"
        "from tokforge.outputs import write_files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_files({'small': b'x', 'large': bytes(100_000)})\n"
        "except OutputError as error:\n"
        "    print(error.problem)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ran.stdout, ran.stderr) == ("cannot be written: file too large\n", "")
    assert names(tmp_path) == []


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"a: exists already; add --force"):
        check_output(tmp_path / "b", tmp_path / "a")
    write_files({tmp_path / "a": "néw"}, force=True)
    assert (tmp_path / "a").read_bytes() == "néw".encode()


def test_an_output_that_appears_meanwhile_is_not_destroyed(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"), write_atomically(tmp_path / "a") as file:
        file.write(b"mine")
        (tmp_path / "a").write_bytes(b"theirs")
    assert (names(tmp_path), (tmp_path / "a").read_bytes()) == (["a"], b"theirs")


def test_a_check_sees_the_finished_bytes_and_may_refuse(tmp_path: Path) -> None:
    def refuse(staged: dict[Path, Path]) -> None:
        assert staged[tmp_path / "a"].read_bytes() == b"bytes"
        raise OutputError("is wrong", "right it")

    with pytest.raises(OutputError, match="is wrong"):
        write_files({tmp_path / "a": b"bytes", tmp_path / "b": b""}, check=refuse)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing/a", "its folder does not exist"),
        (".", "is a folder"),
        ("file/a", "cannot be written: not a directory"),
        ("x" * 300, "cannot be written: file name too long"),
        ("a\0b", "cannot be written: embedded null byte"),
        ("/dev/null", "is not a regular file"),
        ("/proc/a", "its folder takes no files"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_refused_before_the_work(
    path: str, problem: str, force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        check_output(path, force=force)
    assert caught.value.problem.startswith(problem)
    assert caught.value.where == path
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        check_output(tmp_path / "a")


def test_a_symlink_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_files({tmp_path / "link": b"new"}, force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_the_mode_is_what_the_user_is_used_to(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_files({tmp_path / "new": b""})
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o600)
        write_files({tmp_path / "old": b""}, force=True)
    finally:
        os.umask(mask)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old")]
    assert modes == [0o640, 0o600]


def test_a_file_system_that_takes_no_files_is_named() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    with pytest.raises(OutputError) as caught:
        check_output("/proc/report.html")
    assert "create the folder" not in caught.value.hint
    assert caught.value.hint.startswith("write to")


def test_an_input_is_a_file_or_in_a_folder_or_matches_a_glob(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("read")
    for inputs in (["in/a.txt"], ["in"], ["in/*.txt"], ["**/a.txt"], ["in/../in"]):
        read = [tmp_path / one for one in inputs]
        with pytest.raises(OutputError, match="an input of this run"):
            check_output(tmp_path / "in" / "a.txt", force=True, inputs=read)
        check_output(tmp_path / "in" / "new.txt", inputs=read)
    check_output(tmp_path / "in" / "a.txt", force=True, inputs=[tmp_path / "*.txt", "hf:a/b", "-", "\0"])
