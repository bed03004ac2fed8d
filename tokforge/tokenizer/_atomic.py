"""Files that appear whole or not at all.

Each is written under a temporary name in its own folder, flushed to the disk, checked, and renamed;
whatever goes wrong before the renames leaves the folder as it was.
"""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tokforge.errors import OutputError

__all__ = ["is_folder", "os_problem", "write_files"]

_PROBLEMS = {
    errno.ENOSPC: ("the disk is full", "free some space or write elsewhere"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or write elsewhere"),
    errno.EROFS: ("the file system is read-only", "write elsewhere"),
    errno.EACCES: ("writing here is not permitted", "change the permissions or write elsewhere"),
    errno.EPERM: ("writing here is not permitted", "change the permissions or write elsewhere"),
    errno.ENOENT: ("the folder does not exist", "create it first"),
    errno.ENOTDIR: ("a part of the path is no folder", "correct the path"),
    errno.EEXIST: ("a file stands where the folder should be", "choose another name"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
}


def os_problem(error: OSError) -> tuple[str, str]:
    """Returns the problem and the way out of a failed write."""
    return _PROBLEMS.get(error.errno or 0, (f"cannot be written: {error.strerror}", "write elsewhere"))


def is_folder(path: Path) -> bool:
    """Tells whether ``path`` is a folder; a path that cannot be looked at, too long for one, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def write_files(
    files: Mapping[Path, bytes],
    *,
    force: bool,
    check: Callable[[Mapping[Path, Path]], object] = lambda temporary: None,
) -> None:
    """Writes all of ``files``, or none if anything fails before the first is renamed.

    ``check`` gets target -> temporary file and may raise to refuse. An existing target is an
    OutputError unless ``force``; so is a folder that is missing, full or read-only.
    """
    _refuse_existing(files, force=force)
    temporary: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            temporary[path] = path.with_name(f".{path.name[:100]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
            _write_synced(temporary[path], content, path)
        check(temporary)
        _refuse_existing(files, force=force)
        for path in files:
            _rename(temporary[path], path)
    finally:
        for left_over in temporary.values():
            with suppress(OSError):  # it was renamed, or never made; the first error is the one to tell
                left_over.unlink()


def _refuse_existing(files: Mapping[Path, bytes], *, force: bool) -> None:
    for path in files:
        if is_folder(path):
            raise OutputError("a folder has this name", "choose another name", str(path))
        if not force and os.path.lexists(path):
            raise OutputError(
                "the file exists already", "use force to replace it, or choose another name", str(path)
            )


def _write_synced(temporary: Path, content: bytes, path: Path) -> None:
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(*os_problem(error), str(path)) from error


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise OutputError(*os_problem(error), str(path)) from error
