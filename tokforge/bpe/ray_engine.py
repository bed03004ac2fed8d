"""Counting on a Ray cluster: shards are counted on workers, combined by hash partition, merged here.

A task counts some of the files and returns a counts file for each partition, a word being in the one that its
hash names; another task a partition merges those of all shards; the merge loop runs on the driver, on files
whose words differ. Counts add up in whatever order, so the result is that of one machine. A worker that is
killed is replaced by Ray, and its task is run again on the same files.

Files must lie where all workers see them, under the same paths.
"""

import importlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tokforge.errors import ConfigError, MissingExtraError
from tokforge.inputs import ByteView, Progress, Remark, Source, batches
from tokforge.inputs.reading import nothing_read, read_sources
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.edit.pretokens import pretoken_table

if TYPE_CHECKING:
    from tokforge import _core

__all__ = ["Seen", "count_on_workers"]


class Seen(NamedTuple):
    """What a worker read of a file."""

    source: int
    documents: int
    bytes: int
    skipped: list[Remark]
    warnings: list[Remark]


TASKS_PER_WORKER = 4
"""More tasks than workers, so that a slow file or a lost worker holds up little."""


def count_on_workers(
    sources: Sequence[Source],
    pipeline: Pipeline,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> "tuple[_core.CountFiles, list[tuple[int, int]]]":
    """Counts the words of all files on a Ray cluster, which is started on this machine if none is connected.

    Args:
        sources: what to read; standard input is refused.
        pipeline: how documents are cut.
        workers: processes to start if no cluster is connected; one a core if None.
        progress: called with the phase "count" and tasks done.

    Returns:
        The counts, and of each source the documents and bytes.

    Raises MissingExtraError without Ray, ConfigError for standard input, InputError as reading does.
    """
    from tokforge import _core

    ray = _ray()
    if any(file.content is not None for source in sources for file in source.files):
        raise ConfigError("standard input cannot be read by workers", "name files that all of them see")
    if not ray.is_initialized():
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    cores = int(ray.cluster_resources().get("CPU", 1))
    shards = _shards(sources, TASKS_PER_WORKER * cores)
    # Tasks, not actors: they hold nothing, so running one again after a crash is harmless.
    counting = ray.remote(num_cpus=1, num_returns=cores + 1, max_retries=-1)(_count_shard)
    combining = ray.remote(num_cpus=1, max_retries=-1)(_combine)
    counted = [counting.remote(shard, pipeline, cores) for shard in shards]
    totals = _wait(ray, [parts[0] for parts in counted], progress)
    combined = [combining.remote(*(parts[1 + at] for parts in counted)) for at in range(cores)]
    return _core.CountFiles(ray.get(combined)), _summed(sources, totals)


def _summed(sources: Sequence[Source], totals: Iterable[Iterable[Seen]]) -> list[tuple[int, int]]:
    """Adds up what was read of each source, and notes there what was not."""
    documents, sizes = [0] * len(sources), [0] * len(sources)
    for seen in chain.from_iterable(totals):
        documents[seen.source] += seen.documents
        sizes[seen.source] += seen.bytes
        sources[seen.source].skipped.extend(seen.skipped)
        sources[seen.source].warnings.extend(seen.warnings)
    for source, count in zip(sources, documents, strict=True):
        if not count:
            raise nothing_read(source)
    return list(zip(documents, sizes, strict=True))


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtraError(
            "--engine ray needs Ray", "install it: pip install 'tokforge[ray]'"
        ) from error


def _shards(sources: Sequence[Source], most: int) -> list[list[tuple[int, Source]]]:
    """Deals the files out in shards of about equal bytes: largest first, each to the lightest shard."""
    files = [(at, source, file) for at, source in enumerate(sources) for file in source.files]
    shards: list[list[tuple[int, Source]]] = [[] for _ in range(min(most, len(files)))]
    weights = [0] * len(shards)
    for at, source, file in sorted(files, key=lambda one: -one[2].size_bytes):
        lightest = weights.index(min(weights))
        weights[lightest] += file.size_bytes
        shards[lightest].append((at, replace(source, files=(file,), skipped=[], warnings=[])))
    return shards


def _wait(ray: Any, tasks: list[Any], progress: Progress | None) -> list[list[Seen]]:
    left = list(tasks)
    while left:
        _, left = ray.wait(left, timeout=0.1)
        if progress:
            progress("count", len(tasks) - len(left), len(tasks))
    result: list[list[Seen]] = ray.get(tasks)
    return result


def _count_shard(shard: list[tuple[int, Source]], pipeline: Pipeline, parts: int) -> tuple[Any, ...]:
    """Returns what was read of each file, then a counts file for each partition."""
    seen: list[Seen] = []

    def read() -> Iterator[ByteView]:
        for at, source in shard:
            held = size = 0
            for _, _, document in read_sources([source]):
                held, size = held + 1, size + len(document.data)
                yield document.data
            seen.append(Seen(at, held, size, source.skipped, source.warnings))

    counts = pretoken_table(pipeline, threads=1)
    for batch in batches(read()):
        counts.add(batch)
    return seen, *counts.save_parts(parts)


def _combine(*files: bytes) -> bytes:
    from tokforge import _core

    with tempfile.NamedTemporaryFile() as merged:
        _core.CountFiles(list(files)).save(merged.name, b"")
        return Path(merged.name).read_bytes()
