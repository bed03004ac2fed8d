"""The cache: files that are only used when their SHA-256 is the one expected.

Invariant: a file stands under its final name only when it is complete; it was written under another name,
checked,
then renamed. So two processes may fetch the same file at once: the last rename wins, and both are equal.

Layout: ``downloads/SHA256/FILE`` holds what clients brought, ``prepared/`` the documents made from it,
``work/`` whatever is unfinished. A ``.stamp`` beside a file says which size and time it had when it was last
hashed, so that an unchanged file is not hashed again.
"""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tokforge.errors import IntegrityError, OutputError


def cache_dir(cache: Path | None = None) -> Path:
    """Returns the cache's folder, made with mode 0700: ``cache``, $TOKFORGE_CACHE or the user's cache.

    Raises OutputError when it cannot be made.
    """
    root = cache or _default_cache(os.environ, sys.platform)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        hint = "set TOKFORGE_CACHE to a folder that can be written"
        raise OutputError(f"the cache cannot be made: {error.strerror}", hint, str(root)) from error
    return root


def _default_cache(env: Mapping[str, str], platform: str) -> Path:
    if env.get("TOKFORGE_CACHE"):
        return Path(env["TOKFORGE_CACHE"])
    if platform == "win32" and env.get("LOCALAPPDATA"):
        return Path(env["LOCALAPPDATA"]) / "tokforge" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tokforge"
    base = Path(env.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "tokforge"


@contextmanager
def work_folder(root: Path) -> Iterator[Path]:
    """Gives an empty folder on the cache's file system; it is removed at the end, also after an error."""
    parent = root / "work"
    parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        yield Path(name)


def is_intact(path: Path, sha256: str) -> bool:
    """Returns whether ``path`` is there with this hash; if it differs, removes it, IntegrityError."""
    try:
        now = path.stat()
    except OSError:
        return False
    stamp = {"sha256": sha256, "size": now.st_size, "mtime_ns": now.st_mtime_ns}
    if read_json(_stamp_path(path)) != stamp:
        _verify(path, sha256)
        write_json(_stamp_path(path), stamp)
    return True


def admit(source: Path, target: Path, sha256: str) -> None:
    """Moves a finished file into the cache; raises IntegrityError, and removes it, if its hash differs."""
    _verify(source, sha256)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.replace(target)


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json(path: Path) -> object:
    """Returns what a JSON file holds, or None if it is missing or malformed: the work is then done again."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(path: Path, value: object) -> None:
    """Writes a JSON file under a temporary name, then renames it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".stamp")


def _verify(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found == sha256:
        return
    path.unlink(missing_ok=True)
    _stamp_path(path).unlink(missing_ok=True)
    raise IntegrityError(
        f"its SHA-256 is {found}, but {sha256} is expected",
        "the file was removed; fetch again, and distrust the source if this repeats",
        path.name,
    )
