"""What the user names, resolved and checked before anything is read.

An INPUT is a file, a folder, a glob or ``-`` (standard input); each becomes one `Source`. A file is a
document, never its lines. Files ending in ``.jsonl``, ``.jsonl.gz``, ``.jsonl.zst`` and ``.parquet`` hold
one document a row when a field is named. Any other ``.gz`` or ``.zst`` file is read as the raw bytes that
it is, because whoever trains on binaries means those bytes.
"""

import dataclasses
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import has_magic
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from tokforge.errors import ConfigError, InputError, MissingExtraError
from tokforge.inputs._paths import Found, Pattern, Remark, Walked, reason, refusal, shown, walk
from tokforge.inputs.archives import ArchiveOptions

__all__ = ["InputFile", "Remark", "Source", "open_sources", "require", "signature"]

ROW_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
"""Files that hold rows; compared in lower case."""

COMPRESSED = (".gz", ".zst", ".xz", ".bz2", ".zip", ".lz4")
"""Suffixes of files whose content is packed; only rows are ever unpacked."""

_PACKAGES = {".parquet": "pyarrow", ".jsonl.zst": "zstandard"}


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFile:
    """One file as it was when the inputs were opened; reading it later checks that it still is."""

    path: Path
    size_bytes: int
    signature: tuple[int, ...] = ()
    """Device, inode, size and time of change; empty for standard input."""
    content: bytes | None = None
    """The bytes themselves for standard input, which can be read only once; else None."""

    @property
    def row_suffix(self) -> str | None:
        """The suffix that makes this a file of rows, or None."""
        return next((end for end in ROW_SUFFIXES if self.path.name.lower().endswith(end)), None)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Source:
    """One INPUT: its files in a stable order, and all that will not be read."""

    name: str
    """The INPUT as the user gave it."""
    files: tuple[InputFile, ...]
    field: str | None = None
    """The field of each row to read; None reads every file as the bytes it is."""
    archives: ArchiveOptions | None = None
    """How archives are opened; None reads them as the bytes they are."""
    skipped: list[Remark] = dataclasses.field(default_factory=list)
    """What is not read, with the reason. Grows by empty and null rows while rows are read."""
    warnings: list[Remark] = dataclasses.field(default_factory=list)
    """What is read in a way that may surprise. Grows as ``skipped`` does."""

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, compressed where the files are."""
        return sum(file.size_bytes for file in self.files)

    def holds_rows(self, file: InputFile) -> bool:
        """Whether ``file`` is read row by row."""
        return self.field is not None and file.row_suffix is not None


def open_sources(
    inputs: Sequence[str | Path],
    *,
    field: str | None = None,
    follow_symlinks: bool = True,
    stdin: BinaryIO | None = None,
    archives: ArchiveOptions | None = None,
) -> list[Source]:
    """Resolves every INPUT and checks all that can be known without reading it.

    Args:
        inputs: paths, globs (a path that exists wins over its reading as a glob), or ``"-"``.
        field: the field of jsonl and parquet rows to read; other files among the inputs are read whole.
        follow_symlinks: False reports the symlinks inside folders as skipped. An INPUT that is itself
            a symlink is always followed.
        stdin: what ``"-"`` reads, wholly and at once; ``sys.stdin`` if None.
        archives: reads the members of archives in their place; None takes an archive for the bytes it is.

    Returns one Source for each INPUT, in their order. The caller should show ``skipped`` and ``warnings``.

    Raises:
        InputError: an INPUT is missing, unreadable, empty or without any file to read.
        ConfigError: no INPUT, ``-`` twice, or a ``field`` without a file that has fields.
        MissingExtraError: a parquet or zstd file, and the package that reads it is not installed.
    """
    _check_inputs(inputs)
    opened = (_open(item, field, follow_symlinks, stdin) for item in inputs)
    sources = [dataclasses.replace(source, archives=archives) for source in opened]
    if field is not None and not any(s.holds_rows(file) for s in sources for file in s.files):
        raise ConfigError(
            f"field is {field!r}, and no input is {', '.join(ROW_SUFFIXES)}", "leave the field out"
        )
    for source in sources:
        _check_rows(source)
        if archives is None:
            _warn_of_compressed(source)
    _warn_of_repeats(sources)
    return sources


def _check_inputs(inputs: Sequence[str | Path]) -> None:
    if isinstance(inputs, str | Path):
        raise ConfigError("inputs is one path, not a list of them", "put it in a list")
    if not inputs:
        raise ConfigError("no input is named", "name a file, a folder, a glob or - for standard input")
    if "" in inputs:
        raise ConfigError("an input is empty", "name a file or folder; the current one is .")
    if list(inputs).count("-") > 1:
        raise ConfigError("standard input is named twice, and can be read once", "keep one -")


def _open(item: str | Path, field: str | None, follow_symlinks: bool, stdin: BinaryIO | None) -> Source:
    # Path("-") is the file of that name: only the bare string is what a command line means by it.
    if item == "-":
        return Source(name="-", files=(_read_stdin(stdin),), field=field)
    name, path = shown(str(item)), Path(item)
    files, skipped = _resolve(path, name, follow_symlinks)
    if not files:
        raise InputError(f"holds no bytes to read{_tally(skipped)}", "name a file that is not empty", name)
    return Source(name=name, files=tuple(map(_record, files)), field=field, skipped=skipped)


def _resolve(path: Path, name: str, follow_symlinks: bool) -> Walked:
    try:
        status = path.stat()
    except OSError as error:
        if has_magic(str(path)) and not os.path.lexists(path):
            return _expand(Pattern(str(path)), name, follow_symlinks)
        raise InputError(reason(error), "check the path", name) from error
    except ValueError as error:  # a NUL inside the path
        raise InputError(f"is not a path: {error}", "check the path", name) from error
    if path.is_dir():
        return walk(path, follow_symlinks=follow_symlinks)
    refused = refusal(path, status)
    if refused:
        raise InputError(refused, "name a readable file that is not empty, or pipe it into -", name)
    return Walked([Found(path, status)], [])


def _expand(pattern: Pattern, name: str, follow_symlinks: bool) -> Walked:
    if not pattern.base.is_dir():
        raise InputError(f"{shown(pattern.base)} is not a folder", "check the path", name)
    walked = walk(pattern.base, pattern=pattern, follow_symlinks=follow_symlinks)
    if not walked.files and not walked.skipped:
        raise InputError("matches no file", "check the pattern; * stays in a folder, ** spans them", name)
    return walked


def _record(found: Found) -> InputFile:
    return InputFile(path=found.path, size_bytes=found.stat.st_size, signature=signature(found.stat))


def signature(status: os.stat_result) -> tuple[int, ...]:
    """What tells a file from a changed one."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _read_stdin(stdin: BinaryIO | None) -> InputFile:
    content = (stdin or sys.stdin.buffer).read()
    if not content:
        raise InputError("standard input is empty", "pipe a file into it", "-")
    return InputFile(path=Path("-"), size_bytes=len(content), content=content)


def _tally(skipped: Iterable[Remark]) -> str:
    """Sums up why nothing is left: ", of 3 entries: 2 is empty, 1 permission denied"."""
    counts = Counter(remark.reason for remark in skipped)
    listed = ", ".join(f"{n} {why}" for why, n in counts.most_common(3))
    return f" (entries: {listed})" if listed else ""


def _check_rows(source: Source) -> None:
    """Refuses a source of rows without a field, and rows that no installed package reads."""
    rows = [file for file in source.files if file.row_suffix]
    if source.field is not None:
        for package in sorted({_PACKAGES[file.row_suffix] for file in rows if file.row_suffix in _PACKAGES}):
            require(package, source.name)
    elif len(rows) == len(source.files):
        raise InputError(
            "holds rows, and no field is named",
            "name the field with --field NAME, or pipe the file into - to read its raw bytes",
            source.name,
        )
    elif rows:
        why = f"{len(rows)} files of rows are read as raw bytes, because no field is named"
        source.warnings.append(Remark(path=source.name, reason=why))


def _warn_of_compressed(source: Source) -> None:
    """Notes files that are read as compressed bytes, which is what few who train on text mean."""
    named = [f for f in source.files if f.path.suffix.lower() in COMPRESSED and not source.holds_rows(f)]
    if named:
        why = f"{len(named)} compressed files are read as the bytes they are, first {shown(named[0].path)}"
        source.warnings.append(Remark(path=source.name, reason=why))


def require(package: str, where: str) -> None:
    """Raises MissingExtraError unless ``package`` of the extra ``data`` is installed."""
    if find_spec(package) is None:
        raise MissingExtraError(f"{package} is not installed", "run: pip install 'tokforge[data]'", where)


def _warn_of_repeats(sources: Sequence[Source]) -> None:
    """Notes files that several INPUTs name: reading them twice may be meant, but is never a secret."""
    first: dict[tuple[int, ...], int] = {}
    for at, source in enumerate(sources):
        owners = Counter(first.setdefault(f.signature[:2], at) for f in source.files if f.signature)
        for owner, count in sorted(owners.items()):
            if owner != at:
                why = f"{count} of its files are also read through {sources[owner].name}, and count twice"
                source.warnings.append(Remark(path=source.name, reason=why))
