"""Fetches a corpus: downloads what is missing, verifies it, and prepares the documents once.

Invariant: nothing is used before its SHA-256 was checked, and with ``offline`` no client is ever run.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokforge.errors import InputError, IntegrityError
from tokforge_corpora import _clients
from tokforge_corpora._cache import (
    admit,
    cache_dir,
    file_sha256,
    is_intact,
    read_json,
    work_folder,
    write_json,
)
from tokforge_corpora._corpus import CorpusStats, FetchedCorpus, GroupStats
from tokforge_corpora._documents import read_documents
from tokforge_corpora._manifest import Item, Manifest, load_manifest
from tokforge_corpora._prepare import Selection, count_groups, write_tar

Progress = Callable[[str, int, int], object]
"""Called as ``progress(phase, done_bytes, total_bytes)``; the phases are ``download`` and ``read``."""

# Raise this when the code makes other documents of the same downloads, so that old prepared files are not
# used.
PREPARED_FORM = 1
REPORT_SECONDS = 0.1


def fetch(
    corpus: str | Manifest,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    offline: bool = False,
) -> FetchedCorpus:
    """Returns a corpus, downloading and preparing what is not yet in the cache.

    Args:
        corpus: a name of ``list_corpora``, or a manifest of your own.
        cache: the cache's folder; by default $TOKFORGE_CACHE or the user's cache.
        progress: told about bytes downloaded and read; an exception in it stops the work.
        offline: run no package client.
    Raises:
        UnknownNameError: no corpus has this name.
        InputError: a client is missing or fails, an archive is malformed, or ``offline`` and something is
        missing. IntegrityError: a file has another SHA-256 than the manifest says; the file is removed.
        OutputError: the cache cannot be made.
    """
    manifest = load_manifest(corpus) if isinstance(corpus, str) else corpus
    root = cache_dir(cache)
    ready = _open_prepared(manifest, root)
    if ready is None:
        report = _throttled(progress)
        files = _download_all(manifest, root, report, offline)
        _prepare(manifest, files, root, report)
        ready = _open_prepared(manifest, root)
    if ready is None:  # another process removed it meanwhile
        raise InputError("the prepared corpus vanished from the cache", "fetch it again", str(root))
    return ready


def exported(corpus: str | Manifest, *, cache: Path | None = None) -> Path:
    """Returns the folder of a corpus, ``GROUP/NAME`` below it, written into the cache on first use.

    Never downloads. Raises what `fetch` does with ``offline``, and OutputError as `FetchedCorpus.export`.
    """
    ready = fetch(corpus, cache=cache, offline=True)
    folder = cache_dir(cache) / "exported" / f"{ready.manifest.name}-{ready.stats.sha256[:16]}"
    return folder if folder.is_dir() else ready.export(folder)


def is_fetched(corpus: str | Manifest, *, cache: Path | None = None) -> bool:
    """Returns whether ``fetch`` would find the corpus in the cache, ready to read."""
    manifest = load_manifest(corpus) if isinstance(corpus, str) else corpus
    try:
        return _open_prepared(manifest, cache_dir(cache)) is not None
    except IntegrityError:
        return False


def stats(corpus: str | Manifest | FetchedCorpus, *, cache: Path | None = None) -> CorpusStats:
    """Returns what a corpus holds; one that is not fetched is prepared from its downloads, never downloaded.

    Raises InputError when downloads are missing.
    """
    if isinstance(corpus, FetchedCorpus):
        return corpus.stats
    return fetch(corpus, cache=cache, offline=True).stats


def _download_all(manifest: Manifest, root: Path, report: Progress, offline: bool) -> list[Path]:
    """Returns the verified downloads in the order of the items; what is there is not fetched again."""
    paths = [root / "downloads" / item.sha256 / item.file for item in manifest.items]
    missing = [
        item for item, path in zip(manifest.items, paths, strict=True) if not is_intact(path, item.sha256)
    ]
    if missing and offline:
        problem = f"{len(missing)} of {len(paths)} downloads are missing, such as {missing[0].file}"
        raise InputError(problem, f"run `tokforge corpora fetch {manifest.name}` first", manifest.name)
    done, total = 0, sum(item.bytes for item in missing)
    for item in missing:
        report("download", done, total)
        _download(item, root)
        done += item.bytes
    report("download", done, total)
    return paths


def _download(item: Item, root: Path) -> None:
    with work_folder(root) as folder:
        admit(_clients.download(item, folder), root / "downloads" / item.sha256 / item.file, item.sha256)


def _prepare(manifest: Manifest, files: list[Path], root: Path, report: Progress) -> None:
    """Writes the prepared documents and, last, their statistics, without which the documents do not count."""
    skipped: Counter[str] = Counter()
    selection = Selection(
        manifest.max_group_bytes or manifest.max_bytes,
        by_group=manifest.max_group_bytes is not None,
        left_out=manifest.left_out,
    )
    done, total = 0, manifest.download_bytes

    def tick(count: int) -> None:
        nonlocal done
        done += count
        report("read", done, total)

    for document in read_documents(manifest, files, skipped, tick):
        selection.add(document)
    documents = selection.documents()
    if not documents:
        raise InputError("the corpus has no documents", "correct the manifest's select", manifest.name)
    target = _prepared_path(manifest, root)
    with work_folder(root) as folder:
        write_tar(documents, folder / target.name)
        digest = file_sha256(folder / target.name)
        admit(folder / target.name, target, digest)
    left_out = {"duplicates": selection.duplicates, "beyond_sample": selection.beyond_sample}
    left_out |= {"near_duplicates": selection.near_duplicates}
    left_out |= {"links": skipped["links"], "empty": skipped["empty"]}
    write_json(target.with_suffix(".json"), {"groups": count_groups(documents), "sha256": digest, **left_out})


def _open_prepared(manifest: Manifest, root: Path) -> FetchedCorpus | None:
    """Returns the corpus if it is prepared, complete and unchanged; IntegrityError if damaged."""
    path = _prepared_path(manifest, root)
    facts = read_json(path.with_suffix(".json"))
    try:
        stats = _stats(manifest, facts)
    except (TypeError, KeyError, AttributeError, ValueError):  # missing, or not what _prepare wrote
        return None
    return FetchedCorpus(manifest=manifest, path=path, stats=stats) if is_intact(path, stats.sha256) else None


def _stats(manifest: Manifest, facts: Any) -> CorpusStats:
    groups = tuple(
        GroupStats(group=name, documents=n, bytes=size) for name, (n, size) in facts["groups"].items()
    )
    return CorpusStats(
        name=manifest.name,
        version=manifest.version,
        group_kind=manifest.group_kind,
        documents=sum(group.documents for group in groups),
        bytes=sum(group.bytes for group in groups),
        groups=groups,
        downloads=len(manifest.items),
        download_bytes=manifest.download_bytes,
        duplicates=facts["duplicates"],
        near_duplicates=facts["near_duplicates"],
        beyond_sample=facts["beyond_sample"],
        links=facts["links"],
        empty=facts["empty"],
        sha256=facts["sha256"],
    )


def _prepared_path(manifest: Manifest, root: Path) -> Path:
    """Returns a path that changes with anything in the manifest, so that an edited one is prepared anew."""
    content = json.dumps([PREPARED_FORM, asdict(manifest)], sort_keys=True).encode()
    key = hashlib.sha256(content).hexdigest()[:16]
    return root / "prepared" / f"{manifest.name}-{manifest.version}-{key}.tar"


def _throttled(progress: Progress | None) -> Progress:
    """Passes on about ten reports a second, and every phase's first and last."""
    last: dict[str, float] = {}

    def report(phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if progress and (done >= total or now - last.get(phase, 0.0) >= REPORT_SECONDS):
            last[phase] = now
            progress(phase, done, total)

    return report
