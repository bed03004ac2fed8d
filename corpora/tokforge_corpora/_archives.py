"""Members of package files: zip (wheels, jars, AARs, Go modules), tar (crates, npm), .deb.

Invariants: those of `tokforge.inputs.archives`, which reads them; and a member's name is relative, without
``..``, backslash or drive, or the whole archive is refused.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import BinaryIO

from tokforge.errors import ConfigError, InputError
from tokforge.inputs.archives import ArchiveOptions, read_archive

LIMITS = ArchiveOptions(depth=3, member_bytes=256 << 20, ratio=200)

Wanted = Callable[[str], bool]
Path = tuple[str, ...]


def read_members(
    stream: BinaryIO, file: str, wanted: Wanted, skipped: Counter[str], inner: str | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yields ``(name, bytes)`` of the wanted members of an archive, in the archive's order.

    ``stream`` is the open archive and ``file`` its name. ``inner`` is the pattern of archives inside it whose
    members are meant. Of a .deb, the members are those of its data. ``skipped`` counts what was passed over.

    Raises InputError for a malformed or hostile archive.
    """
    outer = 1 if file.endswith(".deb") else 0
    place = outer + (inner is not None)
    entered: set[Path] = set()

    def enters(path: Path) -> bool:
        is_data = len(path) == 1 == outer and path[0].startswith("data.tar")
        is_inner = inner is not None and len(path) == outer + 1 and fnmatchcase(safe_name(path[-1]), inner)
        if is_data or is_inner:
            entered.add(path)
        return is_data or is_inner

    def takes(path: Path) -> bool:
        return len(path) == place + 1 and wanted(safe_name(path[-1]))

    try:
        for path, data in read_archive(
            stream, file, options=LIMITS, wanted=takes, enters=enters, skipped=skipped
        ):
            yield safe_name(path[-1]), data
    except ConfigError as error:  # it is encrypted
        raise InputError(error.problem, "distrust this archive", file) from error
    if outer and not entered:
        raise InputError("it has no data.tar", "remove it from the cache, fetch again", file)
    if inner and len(entered) <= outer:
        raise InputError(f"it has no member {inner}", "correct the manifest's inner", file)


def safe_name(name: str) -> str:
    """Returns a member's name without a leading ``./``; raises InputError if it could leave its folder."""
    plain = name.removeprefix("./")
    if re.search(r"[\x00-\x1f\\]|^/|^[A-Za-z]:", plain) or ".." in plain.split("/"):
        raise InputError(f"it has a member named {name!r}", "distrust this archive")
    return plain
