"""A fetched corpus: its documents, its statistics, and its export as a folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokforge.errors import OutputError
from tokforge_corpora._manifest import Manifest
from tokforge_corpora._prepare import read_tar


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupStats:
    """One group of a corpus: a platform, a language, a code language or a folder."""

    group: str
    documents: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusStats:
    """What a corpus holds."""

    name: str
    version: str
    group_kind: str
    documents: int
    bytes: int
    groups: tuple[GroupStats, ...]
    downloads: int
    """Package files."""
    download_bytes: int
    duplicates: int
    """Members left out because an equal one is in."""
    near_duplicates: int
    """Members left out because one of another corpus is nearly the same (``left_out`` of the manifest)."""
    beyond_sample: int
    """Members left out by the manifest's ``max_bytes``."""
    links: int
    """Links and devices in the archives, never followed."""
    empty: int
    """Help pages of which nothing of their own was left."""
    sha256: str
    """Digest of all documents with their names, in order: two fetches with one digest are the same corpus."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as plain JSON values."""
        return {**asdict(self), "groups": [asdict(group) for group in self.groups]}


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedCorpus:
    """A corpus that is in the cache, complete and verified."""

    manifest: Manifest
    path: Path
    """The documents as a plain tar, in the cache."""
    stats: CorpusStats

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Yields ``(group, name, data)`` sorted by group and name; a name is a relative path with ``/``."""
        with self.path.open("rb") as stream:
            yield from read_tar(stream)

    def export(self, folder: Path, *, force: bool = False) -> Path:
        """Writes the documents as files ``folder/GROUP/NAME``, all of them or none, and returns ``folder``.

        With ``force`` an earlier export of this corpus is replaced; a folder that holds anything else never
        is.

        Raises:
            OutputError: ``folder`` is a file, holds something, or cannot be written.
        """
        self._check_target(folder, force)
        try:
            folder.absolute().parent.mkdir(parents=True, exist_ok=True)
            with _replacement(folder) as new:
                for group, name, data in self.documents():
                    path = new / group / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("xb") as stream:
                        stream.write(data)
        except OSError as error:
            hint = "give a folder where you can write"
            raise OutputError(f"the export failed: {error.strerror}", hint, str(folder)) from error
        return folder

    def _check_target(self, folder: Path, force: bool) -> None:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutputError("this is no folder", "give the name of a new folder", str(folder))
        present = {path.name for path in folder.iterdir()} if folder.exists() else set()
        foreign = sorted(present - {group.group for group in self.stats.groups})
        if present and not force:
            raise OutputError(
                "the folder is not empty", "give a new folder, or --force to replace it", str(folder)
            )
        if foreign:
            problem = f"the folder holds {foreign[0]!r}, which is not of {self.manifest.name}"
            raise OutputError(problem, "give a new folder; this one is not replaced", str(folder))


@contextmanager
def _replacement(folder: Path) -> Iterator[Path]:
    """Gives an empty folder that takes the place of ``folder`` at the end, unless an exception passes."""
    target = folder.absolute()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
        new, old = Path(name, "new"), Path(name, "old")
        new.mkdir()
        yield new
        if target.exists():
            target.rename(old)
        new.rename(target)
