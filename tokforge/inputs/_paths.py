"""Which files a folder or a glob names.

Invariant: every entry that is met is either among ``files`` or among ``skipped`` with a reason, each
file once, in the order of its relative path's bytes whatever order the disk lists it in. A real entry
wins over a symlink to it, so that adding a link to a folder never renames what was there.
Complexity: O(entries) system calls; folders are known by (device, inode), so no loop is walked twice.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import NamedTuple

__all__ = ["Found", "Pattern", "Remark", "Walked", "refusal", "shown", "walk"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """Something about an input that its user should know."""

    path: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "reason": self.reason}


class Found(NamedTuple):
    """A readable regular file that is not empty."""

    path: Path
    stat: os.stat_result


class Walked(NamedTuple):
    """All of a folder: what can be read, and what cannot with the reason."""

    files: list[Found]
    skipped: list[Remark]


def shown(path: str | Path) -> str:
    """Returns ``path`` as printable text: file names are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def refusal(path: Path, status: os.stat_result) -> str | None:
    """Returns why ``path`` cannot be a document, or None if it can."""
    if not stat.S_ISREG(status.st_mode):
        return f"is a {_kind(status.st_mode)}, not a regular file"
    if status.st_size == 0:
        return "is empty"
    if not os.access(path, os.R_OK):
        return "permission denied"
    return None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder"}
    return kinds.get(stat.S_IFMT(mode), "device")


class Pattern:
    """A glob, split into the folder it starts in and the segments below it.

    ``*``, ``?`` and ``[...]`` stay within a segment, ``**`` spans any number; none matches a leading
    dot. Without ``**`` a matched folder counts wholly, as when a shell had expanded the pattern.
    """

    def __init__(self, text: str) -> None:
        parts = Path(text).parts
        first = next(i for i, part in enumerate(parts) if has_magic(part))
        self.base = Path(*parts[:first])
        # A last ** stands for what lies below, never for the folder itself: it needs one part more.
        self.segments = (*parts[first:], "*") if parts[-1] == "**" else parts[first:]
        self.takes_folders = "**" not in parts

    def may_hold(self, folder: str) -> bool:
        """Whether something below ``folder`` (relative to ``base``) can match."""
        *_, states = self._states(folder)
        return bool(states - {len(self.segments)}) or self.matches(folder)

    def matches(self, name: str) -> bool:
        """Whether ``name`` (relative to ``base``), or a folder that it is in, matches."""
        accepted = [len(self.segments) in states for states in self._states(name)]
        return any(accepted) if self.takes_folders else accepted[-1]

    def _states(self, name: str) -> Iterator[set[int]]:
        """The numbers of segments matched after each part of ``name``: an automaton, so never exponential."""
        states = self._skip({0})
        for part in name.split("/"):
            states = self._skip({after for at in states for after in self._step(at, part)})
            yield states

    def _step(self, at: int, part: str) -> Iterator[int]:
        segment = self.segments[at] if at < len(self.segments) else ""
        if part.startswith(".") and not segment.startswith("."):
            return
        if segment == "**":
            yield at
        elif fnmatchcase(part, segment):
            yield at + 1

    def _skip(self, states: set[int]) -> set[int]:
        """Adds the states reached by letting ``**`` match nothing."""
        for at, segment in enumerate(self.segments):
            if segment == "**" and at in states:
                states.add(at + 1)
        return states


def walk(root: Path, *, pattern: Pattern | None = None, follow_symlinks: bool = True) -> Walked:
    """Returns every file below ``root``, or those of them that ``pattern`` names."""
    walker = _Walker(root, pattern)
    walker.folders(root, "")
    while walker.links:
        # Links found below a followed link wait for the next round: all of one depth are taken in
        # the order of their names, so which of two links to one target is read is settled.
        links, walker.links = sorted(walker.links, key=lambda link: os.fsencode(link[1])), []
        for path, name in links:
            if follow_symlinks:
                walker.link(path, name)
            elif walker.keep(name):
                walker.skip(path, "is a symlink")
    return walker.result()


def _always(_: str) -> bool:
    return True


class _Walker:
    """A walk under way: what is found so far, and the symlinks to follow after all real entries."""

    def __init__(self, root: Path, pattern: Pattern | None) -> None:
        self.keep: Callable[[str], bool] = pattern.matches if pattern else _always
        self.enter: Callable[[str], bool] = pattern.may_hold if pattern else _always
        self.links: list[tuple[Path, str]] = []
        self._found: list[tuple[bytes, Found]] = []
        self._skipped: list[tuple[bytes, Remark]] = []
        self._folders: dict[tuple[int, int], Path] = {}
        self._files: dict[tuple[int, int], Path] = {}

    def folders(self, path: Path, prefix: str) -> None:
        """Takes ``path`` and all real folders below it; puts symlinks aside."""
        stack = [(path, prefix)]
        while stack:
            folder, prefix = stack.pop()
            pending: list[tuple[Path, str]] = []
            for entry in self._entries(folder):
                child, name = folder / entry.name, prefix + entry.name
                if entry.is_symlink():
                    self.links.append((child, name))
                elif not entry.is_dir(follow_symlinks=False):
                    self.file(child, name)
                elif self.enter(name):
                    pending.append((child, name + "/"))
            stack.extend(reversed(pending))

    def link(self, path: Path, name: str) -> None:
        """Follows one symlink, unless it leads back to where the walk is or has been."""
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
            target = path.resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: pathlib's word for a loop before 3.13
            if self.keep(name) or self.enter(name):
                self.skip(path, _link_fault(path, error))
            return
        if not is_folder:
            self.file(path, name)
        elif self.enter(name):
            if path.parent.resolve().is_relative_to(target):
                self.skip(path, f"is a symlink loop: it leads back to {shown(target)}")
            else:
                self.folders(path, name + "/")

    def file(self, path: Path, name: str) -> None:
        """Takes one file, or says why not."""
        if not self.keep(name):
            return
        try:
            status = path.stat()
        except OSError as error:
            self.skip(path, reason(error))
            return
        refused = refusal(path, status)
        if refused is None:
            first = self._files.setdefault((status.st_dev, status.st_ino), path)
            refused = None if first == path else f"is the same file as {shown(first)}, which is read"
        if refused is None:
            self._found.append((os.fsencode(name), Found(path, status)))
        else:
            self.skip(path, refused)

    def skip(self, path: Path, why: str) -> None:
        self._skipped.append((os.fsencode(path), Remark(path=shown(path), reason=why)))

    def result(self) -> Walked:
        """All that was met, in the order of the bytes of its path."""
        found = [item for _, item in sorted(self._found, key=lambda pair: pair[0])]
        return Walked(found, [item for _, item in sorted(self._skipped, key=lambda pair: pair[0])])

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """The entries of a folder that is met for the first time, by name; else none, and a remark."""
        try:
            status = folder.stat()
            first = self._folders.setdefault((status.st_dev, status.st_ino), folder)
            if first != folder:
                self.skip(folder, f"is the same folder as {shown(first)}, which is read")
                return []
            with os.scandir(folder) as entries:
                # Hard links: the name that sorts first is read, so the order must not be the disk's.
                return sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self.skip(folder, reason(error))
            return []


def reason(error: OSError) -> str:
    """The system's own words for what failed."""
    return (error.strerror or str(error)).lower()


def _link_fault(path: Path, error: OSError | RuntimeError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"is a broken symlink to {shown(path.readlink())}"
    if isinstance(error, OSError) and error.errno != errno.ELOOP:
        return reason(error)
    return "is a symlink loop"
