"""Counting and training apart: counts files that many machines write, and one merges and trains on.

A counts file (docs/distributed.md) says in its header how its words were cut; files are merged, and
trained on, only if they all say the same. What is learned from them is what `train` learns from the
same documents.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tokforge.bpe.collect import collect_words
from tokforge.bpe.config import BpeConfig
from tokforge.bpe.record import record
from tokforge.bpe.sources import Mixture
from tokforge.bpe.start import Start
from tokforge.bpe.training import (
    BpeResult,
    build_tokenizer,
    checked_stages,
    choose_preset,
    learn,
    peak_memory_bytes,
    with_covered,
)
from tokforge.errors import ConfigError, FormatError, InputError
from tokforge.inputs import (
    CurationReport,
    Progress,
    Remark,
    Source,
    documents,
    open_sources,
)
from tokforge.outputs import check_output, write_atomically

__all__ = ["CountResult", "count", "merge_counts", "train_from_files"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CountResult:
    """What a counts file holds."""

    words: int
    """Distinct words."""
    documents: int
    bytes: int
    """Of all documents."""
    pretokenizer: str
    preset: str
    seconds: float
    skipped: tuple[Remark, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        return asdict(self) | {"skipped": [remark.as_dict() for remark in self.skipped]}


def count(
    inputs: Sequence[str | Path],
    output: str | Path,
    config: BpeConfig | None = None,
    *,
    shard: tuple[int, int] = (1, 1),
    force: bool = False,
    progress: Progress | None = None,
) -> CountResult:
    """Counts the words of the inputs into a counts file.

    Args:
        inputs: files, folders, globs or ``-``.
        output: the counts file.
        config: of its fields, ``preset``, ``pretokenizer``, ``field``, ``follow_symlinks``, ``threads`` and
            ``memory_bytes`` are used; ``preset`` and ``pretokenizer`` must be the same for all shards, so
            ``auto`` is refused where there are several.
        shard: (i, n): files number i, i + n, i + 2n... of all files of the inputs, counted from 1.
        force: replace an output that exists.
        progress: called with the phases "read" and "merge counts".

    Raises InputError, ConfigError, PatternError and OutputError as `train` does.
    """
    config, started = config or BpeConfig(), time.perf_counter()
    _check_shard(shard, config)
    check_output(output, force=force, inputs=inputs)
    sources = open_sources(inputs, field=config.field, follow_symlinks=config.follow_symlinks)
    config = config.resolved(choose_preset(config, sources, None)[0])
    pipeline = Start.fresh(config, checked_stages(config)).pipeline
    if not pipeline.pretokenizers:
        raise ConfigError("unsplit bytes hold no words to count", "name a pre-tokenizer, such as o200k")
    sources = _share(sources, shard)
    seen = [0, 0]

    def read() -> Any:
        for document in documents(sources, progress=progress):
            seen[0] += 1
            seen[1] += len(document.data)
            yield document.data

    counts = collect_words(read(), pipeline, threads=config.threads, memory_bytes=config.memory_bytes)
    about = {
        "pretokenizer": config.pretokenizer,
        "stages": list(pipeline.pretokenizers),
        "preset": config.preset,
        "documents": seen[0],
        "bytes": seen[1],
    }
    with write_atomically(output, force=force) as file:
        words = counts.save(file.name, _header(about), progress)
    skipped = tuple(remark for source in sources for remark in source.skipped)
    return _result(words, about, started, skipped)


def merge_counts(
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> CountResult:
    """Merges counts files into one, which is the same in whatever order and groups they are merged.

    Raises InputError for a file that is damaged or no counts file, ConfigError for files whose words were
    cut differently, and OutputError.
    """
    from tokforge import _core

    started = time.perf_counter()
    check_output(output, force=force, inputs=paths)
    about = _summed(_abouts(paths), paths)
    files = _core.CountFiles([str(path) for path in paths], Path(output).parent)
    with write_atomically(output, force=force) as file:
        words = files.save(file.name, _header(about), progress)
    return _result(words, about, started, ())


def train_from_files(
    paths: Sequence[str | Path], config: BpeConfig | None = None, *, progress: Progress | None = None
) -> BpeResult:
    """Trains on counts files; raises as `merge_counts` and `train` do.

    ``config.pretokenizer`` and ``config.preset`` are the files' own; another is refused.
    """
    from tokforge import _core

    config, started = config or BpeConfig(), time.perf_counter()
    abouts = _abouts(paths)
    about = _summed(abouts, paths)
    config = _as_counted(config, about)
    words = _core.CountFiles([str(path) for path in paths])
    fresh = Start.fresh(config, about["stages"])
    start = with_covered(fresh, words, config)
    training = learn(words, start, config, progress)
    total = about["bytes"]
    seen = [(one["documents"], one["bytes"]) for one in abouts]
    mixture = Mixture.of(config.sampling, [str(path) for path in paths], seen)
    tokenizer = build_tokenizer(
        training.merges, start, config, record(config, mixture, None, training.stopped, None)
    )
    return BpeResult(
        tokenizer=tokenizer,
        family={size: tokenizer.prefix(size) for size in config.family if size <= tokenizer.vocab_size},
        counts=tuple(training.counts),
        stopped=training.stopped,
        corpus_bytes=total,
        corpus_tokens=training.tokens[-1] if training.tokens else total,
        seconds=time.perf_counter() - started,
        peak_memory_bytes=peak_memory_bytes(),
        preset=config.preset,
        preset_reason="as counted",
        mixture=mixture,
        curation=CurationReport(documents=0, bytes=0),
        skipped=(),
        warnings=(),
        character_tokens=len(start.tokens) - len(fresh.tokens),
        reserved_tokens=len(tokenizer.added_tokens) - len(start.added_tokens),
    )


def _check_shard(shard: tuple[int, int], config: BpeConfig) -> None:
    number, shards = shard
    if not 1 <= number <= shards:
        raise ConfigError(f"shard is {number}/{shards}", "use i/n with i from 1 to n, such as 3/8")
    if shards > 1 and config.preset == "auto" and config.pretokenizer is None:
        raise ConfigError(
            "shards could be told apart by their content alone", "name --preset or --pretokenizer for all"
        )


def _share(sources: Sequence[Source], shard: tuple[int, int]) -> list[Source]:
    """Returns the sources with the files of one shard alone."""
    number, shards = shard
    total = sum(len(source.files) for source in sources)
    if total < shards:
        raise ConfigError(f"there are {total} files for {shards} shards", f"use {total} shards at most")
    kept: list[Source] = []
    first = 0
    for source in sources:
        files = tuple(file for at, file in enumerate(source.files, first) if at % shards == number - 1)
        first += len(source.files)
        if files:
            kept.append(replace(source, files=files))
    return kept


def _header(about: dict[str, Any]) -> bytes:
    return json.dumps(about, sort_keys=True).encode()


def _abouts(paths: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Returns the header of each file."""
    from tokforge import _core

    if not paths:
        raise InputError("no counts file is named", "give one or more")
    abouts = []
    for path in paths:
        [header] = _core.CountFiles([str(path)]).headers()
        try:
            about = json.loads(header)
            kinds = {"pretokenizer": str, "stages": list, "preset": str, "documents": int, "bytes": int}
            if not all(isinstance(about[name], kind) for name, kind in kinds.items()):
                raise ValueError(header)
        except (ValueError, KeyError, TypeError) as error:
            hint = "write what docs/distributed.md says, or use `tokforge count`"
            raise FormatError("its header does not say how words were cut", hint, str(path)) from error
        abouts.append(about)
    return abouts


def _summed(abouts: Sequence[dict[str, Any]], paths: Sequence[str | Path]) -> dict[str, Any]:
    """Returns one header for all files, which must have been cut alike."""
    first = abouts[0]
    for about, path in zip(abouts, paths, strict=True):
        for name in ("stages", "preset"):
            if about[name] != first[name]:
                raise ConfigError(
                    f"{name} is {about[name]}, and that of {paths[0]} is {first[name]}",
                    "count all files alike",
                    str(path),
                )
    totals = {name: sum(about[name] for about in abouts) for name in ("documents", "bytes")}
    return first | totals


def _as_counted(config: BpeConfig, about: dict[str, Any]) -> BpeConfig:
    """Returns the options with the files' splitter and preset."""
    asked = replace(config, preset=about["preset"]) if config.preset == "auto" else config
    resolved = replace(asked, pretokenizer=config.pretokenizer or about["pretokenizer"]).resolved(
        asked.preset
    )
    if list(checked_stages(resolved)) != about["stages"]:
        raise ConfigError(
            f"pretokenizer is {resolved.pretokenizer}, and the words were cut by {about['pretokenizer']}",
            "leave it out",
        )
    if config.curation != BpeConfig().curation or not config.sampling.takes_all:
        raise ConfigError("counts cannot be sampled or curated any more", "do it where they are counted")
    return resolved


def _result(words: int, about: dict[str, Any], started: float, skipped: tuple[Remark, ...]) -> CountResult:
    return CountResult(
        words=words,
        documents=about["documents"],
        bytes=about["bytes"],
        pretokenizer=about["pretokenizer"],
        preset=about["preset"],
        seconds=time.perf_counter() - started,
        skipped=skipped,
    )
