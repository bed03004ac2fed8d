"""Reads sources less what is left out: by time, as duplicates, beyond a group's cap, by entropy.

Whole documents are judged first, in one more pass over the inputs: those out of time go, then duplicates,
then what a group has too much of. What stays is then cut into stretches, each a document of its own.

Invariants: nothing is left out unless asked, all that is left out is counted, and which documents stay
depends on their contents, labels and the seed, never on names' order or threads.
Memory: about 150 bytes a document, 700 with near-duplicates, which keeps a signature of each.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tokforge.inputs.archives import ArchiveOptions
from tokforge.inputs.config import CurationConfig
from tokforge.inputs.labels import Labels, read_labels
from tokforge.inputs.reading import Document, Progress, read_sources
from tokforge.inputs.source import Source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Curation", "CurationReport", "Reader", "archive_options"]

_HASHED_BYTES = 1 << 26  # Ctrl-C waits for one call to end


def archive_options(config: CurationConfig) -> ArchiveOptions | None:
    """Returns what `open_sources` takes to open archives as ``config`` says."""
    if not config.archives:
        return None
    password = config.archive_password
    return ArchiveOptions(
        depth=config.archive_depth,
        member_bytes=config.archive_member_bytes,
        password=None if password is None else password.encode(),
    )


class Reader(Protocol):
    """Anything that reads sources as `read_sources` does."""

    def __call__(
        self,
        sources: Sequence[Source],
        *,
        progress: Progress | None = None,
        phase: str = "read",
        wanted: Callable[[int], bool] = ...,
    ) -> Iterator[tuple[int, int, Document]]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CurationReport:
    """What curation left out of the inputs."""

    documents: int
    """Documents judged: 0 where no option leaves whole documents out."""
    bytes: int
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    """By reason: ``documents`` and ``bytes``; for ``entropy``, stretches."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        return {"documents": self.documents, "bytes": self.bytes, "left_out": self.left_out}


class _Entry(NamedTuple):
    """What is known of a document once it was read."""

    order: bytes
    """A hash of the content under the seed: equal for equal contents, random otherwise."""
    size: int
    group: str
    time: float | None
    signature: "npt.NDArray[np.uint32] | None"


class Curation:
    """Reads ``sources`` as `config` says; constructing it reads them once if documents are to be judged.

    ``progress`` is then called with the phase "curate". Raises InputError as `tokforge.inputs.documents`,
    and for labels that cannot be read.
    """

    def __init__(
        self, sources: Sequence[Source], config: CurationConfig, *, progress: Progress | None = None
    ) -> None:
        self._config = config
        self._left_out: dict[str, Counter[str]] = defaultdict(Counter)
        self._by_entropy: Counter[str] = Counter()
        self._keeps: dict[int, list[bool]] = {}
        self._total = Counter[str]()
        if config.chooses:
            self._judge(sources, progress)

    def _judge(self, sources: Sequence[Source], progress: Progress | None) -> None:
        labels = read_labels(self._config.labels)
        entries: list[_Entry] = []
        files: list[int] = []
        for _, file, document in read_sources(sources, progress=progress, phase="curate"):
            entries.append(_entry(document, labels, self._config))
            files.append(file)
            self._total.update(documents=1, bytes=len(document.data))
        stays = [False] * len(entries)
        for at in self._chosen(entries):
            stays[at] = True
        for file, one in zip(files, stays, strict=True):
            self._keeps.setdefault(file, []).append(one)

    def _chosen(self, entries: Sequence[_Entry]) -> list[int]:
        """Returns the numbers of the documents that stay, in the order of their hashes."""
        order = sorted(range(len(entries)), key=lambda at: entries[at].order)
        order = [at for at in order if self._stays(entries[at], _outside(entries[at], self._config))]
        alike = _Alike(self._config)
        order = [at for at in order if self._stays(entries[at], alike.why(entries[at]))]
        caps = _Caps(self._config)
        return [at for at in order if self._stays(entries[at], caps.why(entries[at]))]

    def _stays(self, entry: _Entry, why: str | None) -> bool:
        if why:
            self._left_out[why].update(documents=1, bytes=entry.size)
        return why is None

    def read(
        self,
        sources: Sequence[Source],
        *,
        progress: Progress | None = None,
        phase: str = "read",
        wanted: Callable[[int], bool] = lambda _: True,
    ) -> Iterator[tuple[int, int, Document]]:
        """Yields (source number, file number, document) of what stays; arguments as `read_sources`."""
        self._by_entropy = Counter()
        places: Counter[int] = Counter()
        for at, file, document in read_sources(sources, progress=progress, phase=phase, wanted=wanted):
            keeps = self._keeps.get(file)
            if keeps is None or keeps[places[file]]:
                for piece in self._pieces(document):
                    yield at, file, piece
            places[file] += 1

    def _pieces(self, document: Document) -> Iterator[Document]:
        config, data = self._config, document.data
        if not config.cuts:
            yield document
            return
        from tokforge.inputs.stretches import entropy_spans, nul_run_spans

        spans = [(0, len(data))]
        if config.min_entropy is not None or config.max_entropy is not None:
            spans = entropy_spans(data, config.entropy_block_bytes, config.min_entropy, config.max_entropy)
            lost = len(data) - sum(end - start for start, end in spans)
            self._by_entropy.update(documents=lost > 0, bytes=lost)
        view = memoryview(data)
        for span in spans:
            runs = nul_run_spans(data, span, config.nul_run_bytes) if config.nul_run_bytes else (span,)
            for start, end in runs:
                yield document._replace(data=view[start:end])

    @property
    def report(self) -> CurationReport:
        """What was left out; by entropy, in the reading that came last."""
        left_out = {why: dict(counts) for why, counts in sorted(self._left_out.items())}
        if self._by_entropy:
            left_out["entropy"] = dict(self._by_entropy)
        total = self._total
        return CurationReport(documents=total["documents"], bytes=total["bytes"], left_out=left_out)


def _entry(document: Document, labels: Labels, config: CurationConfig) -> _Entry:
    signature = None
    if config.duplicates == "near":
        from tokforge.inputs.similarity import signature_of

        signature = signature_of(document.data, config.seed)
    key = config.seed.to_bytes(8, "little")
    state = hashlib.blake2b(digest_size=16, key=key, person=b"tokforge curate")
    for start in range(0, len(document.data), _HASHED_BYTES):
        state.update(document.data[start : start + _HASHED_BYTES])
    time = labels.of(document).time if config.since or config.before else None
    return _Entry(state.digest(), len(document.data), labels.group_of(document), time, signature)


def _outside(entry: _Entry, config: CurationConfig) -> str | None:
    since, before = config.times
    if not (config.since or config.before):
        return None
    if entry.time is None:
        return "undated"
    return None if since <= entry.time < before else "outside_time"


class _Alike:
    """Tells documents that one before was the same as, or nearly."""

    def __init__(self, config: CurationConfig) -> None:
        self._config = config
        self._last: bytes | None = None
        self._index: Any = None
        if config.duplicates == "near":
            from tokforge.inputs.similarity import NearDuplicates

            self._index = NearDuplicates(config.similarity)

    def why(self, entry: _Entry) -> str | None:
        """Returns the reason to leave a document out; they must come sorted by ``order``."""
        if self._config.duplicates == "keep":
            return None
        if entry.order == self._last:
            return "exact_duplicates"
        self._last = entry.order
        if self._index is None:
            return None
        if self._index.has_like(entry.signature):
            return "near_duplicates"
        self._index.add(entry.signature)
        return None


class _Caps:
    """Tells documents that a group has no room for."""

    def __init__(self, config: CurationConfig) -> None:
        self._config = config
        self._documents: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def why(self, entry: _Entry) -> str | None:
        """Returns the reason to leave a document out, else counts it for its group."""
        most, most_bytes = self._config.cap_per_group, self._config.cap_bytes_per_group
        full = most is not None and self._documents[entry.group] >= most
        if full or (most_bytes is not None and self._bytes[entry.group] + entry.size > most_bytes):
            return "beyond_cap"
        self._documents[entry.group] += 1
        self._bytes[entry.group] += entry.size
        return None
