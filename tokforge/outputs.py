"""Writes results so that a reader only ever sees them whole.

Definition: an output is staged under a temporary name in the folder it goes to, flushed to the disk, and
renamed. Invariant: until the rename the old file is untouched, and after any failure or Ctrl-C no
temporary file is left; several outputs are all staged before the first is renamed. What was there
before is replaced only with ``force``, and every refusal that can be known before the work is made then.
Source: the write, fsync, rename sequence of POSIX rename(2); as safetensors and git write.
"""

import errno
import os
import secrets
import shlex
import signal
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from glob import has_magic, iglob
from pathlib import Path
from typing import BinaryIO, TypeAlias

from tokforge.errors import OutputError

__all__ = ["StrPath", "check_output", "output_error", "write_atomically", "write_files", "write_together"]

StrPath: TypeAlias = str | os.PathLike[str]
Check: TypeAlias = Callable[[Mapping[StrPath, Path]], object]
"""Told where the finished bytes of each output stand before any is renamed; an exception discards them."""

_HINTS = {
    errno.ENOSPC: "free some space or write elsewhere; nothing was left half-written",
    errno.EDQUOT: "free some of your quota or write elsewhere; nothing was left half-written",
    errno.EROFS: "write to another folder",
    errno.ENOENT: "create the folder above it first",
    errno.EACCES: "write to a folder that you own",
    errno.EPERM: "write to a folder that you own",
}


def check_output(*paths: StrPath, force: bool = False, inputs: Iterable[StrPath] = ()) -> None:
    """Raises OutputError if any of ``paths`` could not be written now: call it before the work begins.

    Refused are a folder that is missing, read-only or full, a path that is a folder or a device, one
    that is named twice, one that is among ``inputs`` (whatever ``force`` says), and, unless ``force``, a
    path that exists. An input is a file, a folder whose files are read, or a glob.
    """
    read = list(inputs)
    for at, path in enumerate(paths):
        if _resolved(path) in map(_resolved, paths[:at]):
            raise OutputError("is named for two outputs of this run", "give each its own", str(path))
        if _is_read(path, read):
            raise OutputError("is an input of this run, and would be destroyed", "name another", str(path))
        _check_target(path, force)
    for folder, path in {_target(path).parent: path for path in reversed(paths)}.items():
        _check_folder(folder, path)


@contextmanager
def write_atomically(path: StrPath, *, force: bool = False) -> Iterator[BinaryIO]:
    """Yields a binary file that becomes ``path`` when the block ends, and vanishes if it fails.

    The block should only write: an OSError inside it is reported as a failure of this output.

    Raises:
        OutputError: as `check_output`, and when the disk is full or fails.
    """
    with write_together(path, force=force) as (file,):
        yield file


@contextmanager
def write_together(
    *paths: StrPath, force: bool = False, check: Check = lambda staged: None
) -> Iterator[tuple[BinaryIO, ...]]:
    """Yields one binary file for each path; all become visible when the block ends, or none.

    They are renamed in the order of ``paths``, so the one that makes the others valid should be last.

    Raises:
        OutputError: as `write_atomically`. Between the renames a crash of the machine can still leave
            some of the files; a failure or Ctrl-C before the first rename leaves none.
    """
    check_output(*paths, force=force)
    targets = [_target(path) for path in paths]
    with ExitStack() as staged, _failing_as_output_error(paths[0]):
        pairs = [staged.enter_context(_staged(target)) for target in targets]
        yield tuple(file for file, _ in pairs)
        for file, _ in pairs:
            file.flush()
            os.fsync(file.fileno())
            file.close()
        check({path: temporary for path, (_, temporary) in zip(paths, pairs, strict=True)})
        for path in paths:
            _check_target(path, force)  # again: another run may have written it while this one worked
        _commit([temporary for _, temporary in pairs], targets)


def write_files(
    contents: Mapping[StrPath, bytes | str], *, force: bool = False, check: Check = lambda staged: None
) -> None:
    """Writes whole files, text as UTF-8; all of them or none, as `write_together`."""
    with write_together(*contents, force=force, check=check) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content.encode() if isinstance(content, str) else content)


def _target(path: StrPath) -> Path:
    """The file itself where ``path`` is a symlink: a rename would replace the link by the result."""
    return Path(os.path.realpath(path))


def _resolved(path: StrPath) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL: no such file can be
        return os.fspath(path)


def _is_read(path: StrPath, inputs: Sequence[StrPath]) -> bool:
    """Tells whether ``path`` is one of ``inputs``, or a file that is there and read as part of one."""
    target, read = _resolved(path), {_resolved(one) for one in inputs}
    if target in read:
        return True
    if not os.path.isfile(target):  # noqa: PTH113  (a NUL makes Path raise)
        return False
    if read & {str(folder) for folder in Path(target).parents}:
        return True
    globs = [os.fspath(one) for one in inputs if has_magic(os.fspath(one))]
    matched = (found for one in globs for found in iglob(one, recursive=True))  # noqa: PTH207  (any root)
    return any(target == _resolved(found) for found in matched)


def _check_target(path: StrPath, force: bool) -> None:
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise OutputError("its name is not UTF-8, as JSON needs it", "choose another", shown) from error
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # a file for a parent, a name too long, a NUL
        raise output_error(error, path) from error
    if stat.S_ISDIR(mode):
        raise OutputError("is a folder", "name a file inside it", str(path))
    if not stat.S_ISREG(mode):
        # Renaming over a device replaces it: as root, `-o /dev/null` would harm the whole machine.
        raise OutputError("is not a regular file", "name a file", str(path))
    if not force:
        raise OutputError("exists already", "add --force to replace it, or choose another name", str(path))


def _check_folder(folder: Path, path: StrPath) -> None:
    if not folder.exists():
        raise OutputError(
            "its folder does not exist", f"create it first: mkdir -p {shlex.quote(str(folder))}", str(path)
        )
    try:  # The only sure test of a folder is to write to it: permission bits know no quota and no mount.
        with _staged(folder / "probe"):
            pass
    except FileNotFoundError as error:  # the folder is there: a file system that is no place for files
        raise OutputError("its folder takes no files", "write to another folder", str(path)) from error
    except OSError as error:
        raise output_error(error, path) from error


@contextmanager
def _staged(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yields a new file beside ``target``, closed and removed at the end unless it was renamed."""
    temporary = target.parent / f".tokforge-{secrets.token_hex(6)}.tmp"
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    with ExitStack() as cleanup:
        cleanup.callback(_remove, temporary)
        file = temporary.open("xb")
        cleanup.callback(_close, file)
        if mode is not None:
            temporary.chmod(mode)
        yield file, temporary


def _close(file: BinaryIO) -> None:
    # Closing writes what the buffer still holds: on a full disk that fails again, and hides the first error.
    with suppress(OSError):
        file.close()


def _remove(temporary: Path) -> None:
    with suppress(FileNotFoundError):  # it was renamed
        temporary.unlink()


def _commit(temporaries: Iterable[Path], targets: Iterable[Path]) -> None:
    targets = list(targets)
    with _uninterrupted(), _alone({target.parent for target in targets}):
        for temporary, target in zip(temporaries, targets, strict=True):
            temporary.replace(target)
    for folder in {target.parent for target in targets}:
        _sync_folder(folder)


@contextmanager
def _alone(folders: Iterable[Path]) -> Iterator[None]:
    """Lets one process at a time rename in these folders, so that outputs of two runs are not mixed."""
    with ExitStack() as held:
        for folder in sorted(folders):
            # Where folders cannot be locked (Windows, some network disks), each file still appears whole.
            with suppress(ImportError, OSError):
                import fcntl

                number = os.open(folder, os.O_RDONLY)
                held.callback(os.close, number)
                fcntl.flock(number, fcntl.LOCK_EX)
        yield


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Puts Ctrl-C off until the block is done: between two renames it would leave some outputs alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _sync_folder(folder: Path) -> None:
    """Makes the renames durable, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _failing_as_output_error(where: StrPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(error, where) from error


def output_error(error: OSError | ValueError, where: StrPath) -> OutputError:
    """Returns the OutputError that says what the system said, and the way out."""
    number = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(number).lower() if number else str(error)
    return OutputError(
        f"cannot be written: {reason}", _HINTS.get(number or 0, "choose another path"), str(where)
    )
