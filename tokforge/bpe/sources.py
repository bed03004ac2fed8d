"""Which bytes of which source a training run sees: weights, temperature and sampling without repetition.

Definitions. A document longer than 1 MiB is cut into units (`tokforge.inputs.units`); any other is one
unit. Each unit has a key, a hash of its document's whole content, of its number in it and of the seed.
Sorted by key, the units of a pool are shuffled, and a sample is the first so many bytes of that order;
its last unit is cut short. Without weights or temperature the pool is all sources together; with them,
each source is a pool of its own, with its share of the total.

Invariants: nothing is repeated; the chosen bytes do not depend on the order, names or places of files;
shares are exact to the byte, for text to within one character of each source.
Complexity: the content is read twice (keys, then the chosen units) and 28 bytes are held a unit.
Temperature as in multilingual pre-training: shares in proportion to size**(1/T) (mBERT, XLM-R).
"""

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from itertools import accumulate, pairwise
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.bpe.config import SamplingConfig
from tokforge.errors import ConfigError, UnknownNameError
from tokforge.inputs.curation import Reader
from tokforge.inputs.reading import ByteView, Document, Progress, nothing_read, read_sources
from tokforge.inputs.source import Source
from tokforge.inputs.units import shorten, unit_spans

__all__ = ["Mixture", "SampledSources", "SourceShare", "parse_weights", "unit_keys"]

_HASHED_BYTES = 1 << 26  # Ctrl-C waits for one call to end
_SUM_SLACK = 1e-9  # 0.1 + 0.2 + 0.7 is 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceShare:
    """What one source gave."""

    name: str
    bytes: int
    documents: int
    """Documents of which anything was taken."""
    share: float
    """Its part of all bytes taken, 0 to 1."""
    available_bytes: int
    """Bytes of content that it holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """The realised mixture of a training run: stored in the artefact as ground truth."""

    sources: tuple[SourceShare, ...]
    config: SamplingConfig

    @classmethod
    def of(cls, config: SamplingConfig, names: Sequence[str], seen: Sequence[tuple[int, int]]) -> "Mixture":
        """Of sources that were taken whole: the documents and bytes of each."""
        total = sum(size for _, size in seen)
        rows = [
            SourceShare(
                name=name,
                bytes=size,
                documents=documents,
                share=size / total if total else 0.0,
                available_bytes=size,
            )
            for name, (documents, size) in zip(names, seen, strict=True)
        ]
        return cls(sources=tuple(rows), config=config)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON: ``sources`` and the options that chose them."""
        config = self.config
        return {
            "sources": [asdict(source) for source in self.sources],
            "weights": dict(config.weights),
            "temperature": config.temperature,
            "sample_bytes": config.sample_bytes,
            "seed": config.seed,
        }


def parse_weights(options: Iterable[str]) -> dict[str, float]:
    """Reads ``SOURCE=SHARE`` options; the last ``=`` counts, so a path may hold others.

    Raises ConfigError for another form and for a source that is named twice.
    """
    weights: dict[str, float] = {}
    for option in options:
        name, equals, number = option.rpartition("=")
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if not (name and equals and 0 <= share <= 1):
            raise ConfigError(
                f"weight is {option!r}", "write SOURCE=SHARE, such as code/=0.3; a share is 0 to 1"
            )
        if name in weights:
            raise ConfigError(f"weight names {name} twice", "keep one of them")
        weights[name] = share
    return weights


class SampledSources:
    """The chosen bytes of ``sources``: iterate for (source name, buffer), then ask for `mixture`.

    Buffers come in the order of the sources, not in that of the keys: a trainer counts, and reading in
    order is what disks do well. Chosen units that touch within a document come as one buffer, so a
    sample of everything is every document, whole. Iterating again gives the same again.

    Constructing reads everything once unless all is taken; ``progress`` is then called with the phase
    "sample", and with "read" while iterating; its units are bytes on disk.

    Raises:
        ConfigError: weights that name no or several sources, that sum above 1, or below 1 with all
            sources named; a sample that the inputs, or one source by its share, cannot fill.
        InputError: as `tokforge.inputs.documents`; also while iterating.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        config: SamplingConfig,
        *,
        progress: Progress | None = None,
        read: Reader = read_sources,
    ) -> None:
        self._sources, self._config, self._progress, self._read = tuple(sources), config, progress, read
        self._given: list[Counter[str]] = [Counter() for _ in sources]
        weights = _resolve_weights([source.name for source in sources], config.weights)
        self._choice = None if config.takes_all else _choose(self._sources, config, weights, progress, read)

    def __iter__(self) -> Iterator[tuple[str, ByteView]]:
        self._given = [Counter() for _ in self._sources]
        for at, document, spans in self._chosen():
            given = self._given[at]
            given["documents"] += bool(spans)
            for start, end in spans:
                given["bytes"] += end - start
                yield self._sources[at].name, document.data[start:end]
        for source, given in zip(self._sources, self._given, strict=True):
            if self._choice is None and not given:
                raise nothing_read(source)

    def _chosen(self) -> Iterator[tuple[int, Document, list[tuple[int, int]]]]:
        """Yields each document that is read, with the spans of it to give out."""
        if self._choice is None:
            for at, _, document in self._read(self._sources, progress=self._progress):
                yield at, document, [(0, len(document.data))]
            return
        choice = self._choice
        unit_of = dict(enumerate(choice.file_starts))
        for at, file, document in self._read(self._sources, progress=self._progress, wanted=choice.wants):
            spans = unit_spans(document.data)
            first = unit_of[file]
            unit_of[file] = first + len(spans)
            yield at, document, _runs(document.data, spans, choice.taken[first : first + len(spans)])

    @property
    def mixture(self) -> Mixture:
        """What was given out so far: the realised mixture once iteration has ended."""
        total = sum(given["bytes"] for given in self._given)
        sizes = self._choice.source_bytes if self._choice else [given["bytes"] for given in self._given]
        rows = [
            SourceShare(
                name=source.name,
                bytes=given["bytes"],
                documents=given["documents"],
                share=given["bytes"] / total if total else 0.0,
                available_bytes=size,
            )
            for source, given, size in zip(self._sources, self._given, sizes, strict=True)
        ]
        return Mixture(sources=tuple(rows), config=self._config)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Choice:
    """How much of every unit is taken."""

    taken: npt.NDArray[np.uint32]  # (units,) - bytes from each unit's start; 0 leaves it out
    file_starts: list[int]
    """The first unit of each file over all sources, and the number of all units."""
    source_bytes: list[int]

    def wants(self, file: int) -> bool:
        return bool(self.taken[self.file_starts[file] : self.file_starts[file + 1]].any())


def _choose(
    sources: Sequence[Source],
    config: SamplingConfig,
    weights: Mapping[int, float],
    progress: Progress | None,
    read: Reader,
) -> _Choice:
    keys, lengths, file_starts = _index(sources, config.seed, progress, read)
    source_starts = _source_starts(sources, file_starts)
    sizes = [int(lengths[start:end].sum(dtype=np.int64)) for start, end in pairwise(source_starts)]
    for source, size in zip(sources, sizes, strict=True):
        if not size:
            raise nothing_read(source)
    if weights or config.temperature is not None:
        names = [source.name for source in sources]
        shares = _shares(names, sizes, weights, config.temperature)
        targets = _targets(names, sizes, shares, config.sample_bytes)
        pools = list(pairwise(source_starts))
    else:
        targets = _targets(["the inputs"], [sum(sizes)], [1.0], config.sample_bytes)
        pools = [(0, len(keys))]
    parts = [_prefix(keys[a:b], lengths[a:b], target) for (a, b), target in zip(pools, targets, strict=True)]
    return _Choice(taken=np.concatenate(parts), file_starts=file_starts, source_bytes=sizes)


def _index(
    sources: Sequence[Source], seed: int, progress: Progress | None, read: Reader
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], list[int]]:
    """Returns the keys and lengths of all units, (units,) each, and every file's first unit."""
    keys, lengths = array("Q"), array("I")
    units_of_file = [0] * sum(len(source.files) for source in sources)
    for _, file, document in read(sources, progress=progress, phase="sample"):
        spans = unit_spans(document.data)
        keys.extend(unit_keys(document.data, len(spans), seed))
        lengths.extend(end - start for start, end in spans)
        units_of_file[file] += len(spans)
    file_starts = list(accumulate(units_of_file, initial=0))
    return np.frombuffer(keys, np.uint64), np.frombuffer(lengths, np.uint32), file_starts


def _source_starts(sources: Sequence[Source], file_starts: Sequence[int]) -> list[int]:
    return [file_starts[n] for n in accumulate((len(source.files) for source in sources), initial=0)]


def unit_keys(data: ByteView, units: int, seed: int) -> Iterator[int]:
    """Yields the key of each unit.

    All keys stem from the whole document, so that only units of identical documents tie, and which of
    two identical documents gives a unit cannot be seen in the bytes.
    """
    secret = seed.to_bytes(8, "little")
    state = hashlib.blake2b(digest_size=16, key=secret, person=b"tokforge sample")
    for start in range(0, len(data), _HASHED_BYTES):
        state.update(data[start : start + _HASHED_BYTES])
    digest = state.digest()
    yield int.from_bytes(digest[:8], "little")
    for unit in range(1, units):
        key = hashlib.blake2b(digest, digest_size=8, salt=unit.to_bytes(8, "little")).digest()
        yield int.from_bytes(key, "little")


def _prefix(
    keys: npt.NDArray[np.uint64], lengths: npt.NDArray[np.uint32], target: int
) -> npt.NDArray[np.uint32]:
    """Returns how much of each unit to take: the first ``target`` bytes in the order of the keys."""
    order = np.argsort(keys, kind="stable")  # stable: identical documents go by occurrence
    ends = np.cumsum(lengths[order], dtype=np.int64)
    whole = int(np.searchsorted(ends, target, side="right"))
    taken = np.zeros(len(keys), np.uint32)
    taken[order[:whole]] = lengths[order[:whole]]
    if whole < len(order):
        taken[order[whole]] = target - (int(ends[whole - 1]) if whole else 0)
    return taken


def _runs(
    data: ByteView, spans: Sequence[tuple[int, int]], taken: npt.NDArray[np.uint32]
) -> list[tuple[int, int]]:
    """Joins the taken units of a document to the longest spans there are."""
    runs: list[tuple[int, int]] = []
    for (start, end), size in zip(spans, taken.tolist(), strict=True):
        stop = end if size == end - start else shorten(data, start, start + size)
        if stop == start:
            continue
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs


def _resolve_weights(names: Sequence[str], weights: Mapping[str, float]) -> dict[int, float]:
    """Returns the weights by source number."""
    resolved: dict[int, float] = {}
    for name, weight in weights.items():
        at = _find(name, names)
        if at in resolved:
            raise ConfigError(f"two weights name the source {names[at]}", "keep one of them")
        resolved[at] = weight
    return resolved


def _find(wanted: str, names: Sequence[str]) -> int:
    """The source of that name, else the only one whose last path part, or its stem, is that name."""
    exact = [at for at, name in enumerate(names) if name == wanted]
    found = exact or [at for at, name in enumerate(names) if wanted in _short_names(name)]
    if not found:
        close = get_close_matches(wanted, names, 1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise UnknownNameError(f"weight names no source {wanted!r}", f"{guess}use one of: {', '.join(names)}")
    if len(found) > 1:
        listed = ", ".join(names[at] for at in found)
        raise ConfigError(f"weight {wanted!r} fits several sources", f"name one of them in full: {listed}")
    return found[0]


def _short_names(name: str) -> set[str]:
    path = PurePath(name)
    return {path.name, path.stem, path.name.split(".")[0]} - {""}


def _shares(
    names: Sequence[str], sizes: Sequence[int], weights: Mapping[int, float], temperature: float | None
) -> list[float]:
    """Returns each source's target share; they sum to 1."""
    if temperature is not None:
        top = math.log(max(sizes))
        flat = [math.exp((math.log(size) - top) / temperature) for size in sizes]
        return [part / math.fsum(flat) for part in flat]
    named = math.fsum(weights.values())
    unnamed = [at for at in range(len(sizes)) if at not in weights]
    _check_sum(named, [names[at] for at in unnamed])
    rest = sum(sizes[at] for at in unnamed)
    return [weights[at] if at in weights else (1 - named) * size / rest for at, size in enumerate(sizes)]


def _check_sum(named: float, unnamed: Sequence[str]) -> None:
    if named > 1 + _SUM_SLACK:
        raise ConfigError(f"the weights sum to {named:.6g}, above 1", "lower one of them")
    if unnamed and named > 1 - _SUM_SLACK:
        raise ConfigError(
            f"the weights sum to 1 and leave nothing for {', '.join(unnamed)}", "lower one, or weigh it 0"
        )
    if not unnamed and named < 1 - _SUM_SLACK:
        raise ConfigError(
            f"the weights of all sources sum to {named:.6g}", "make them sum to 1, or leave a source unnamed"
        )


def _targets(
    names: Sequence[str], sizes: Sequence[int], shares: Sequence[float], total: int | None
) -> list[int]:
    """Returns the bytes to take from each source; they sum to ``total``, each within a byte of its share."""
    limits = [size / share if share else math.inf for size, share in zip(sizes, shares, strict=True)]
    scarce = min(range(len(sizes)), key=lambda at: limits[at])
    most = math.floor(limits[scarce] * (1 + 1e-12))  # size / (size / all) may fall just short of all
    if total is None:
        total = most
    if total > most:
        raise ConfigError(
            f"a sample of {total} bytes takes {shares[scarce]:.6g} of its bytes from {names[scarce]}, "
            f"which holds {sizes[scarce]}",
            f"use a sample of at most {most} bytes",
        )
    edges = [round(total * share) for share in accumulate(shares, initial=0.0)]
    return [min(size, end - start) for size, (start, end) in zip(sizes, pairwise(edges), strict=True)]
