"""`inspect_binaries`: a tokenizer on executables, by section, kinds of tokens and instruction boundaries."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.binaries.config import InspectBinariesConfig
from tokforge.binaries.learned import BoundaryTally, band_of, token_kinds
from tokforge.binaries.limited import Layout, Limits, Parser, Unparsed
from tokforge.binaries.tallying import PADDING, SectionTally, kinds_of, nul_runs
from tokforge.inputs import ArchiveOptions, open_sources, read_sources
from tokforge.metrics.sections import SECTION_KINDS
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Tokenizer, printable

__all__ = ["BinaryInspection", "DeadToken", "UnparsedFile", "inspect_binaries", "inspect_documents"]

DEAD_LISTED = 100


@dataclass(frozen=True, slots=True)
class UnparsedFile:
    """A file without a layout: its bytes count as one section of no platform."""

    path: str
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class DeadToken:
    """A token that no file gave."""

    id: int
    text: str
    kind: str
    """By its bytes alone; "not seen" where these do not tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BinaryInspection:
    """What `inspect_binaries` found."""

    vocab_size: int
    files: int
    bytes: int
    tokens: int
    sections: tuple[dict[str, Any], ...]
    """By platform, file kind and section: sums and ratios without NUL runs; ``whole_``: with them."""
    unparsed: tuple[UnparsedFile, ...]
    kinds: dict[str, dict[str, int]]
    """Rank band -> kind of token -> tokens of the vocabulary."""
    occurrences: dict[str, int]
    """Kind of token -> tokens of the files."""
    boundaries: tuple[dict[str, Any], ...]
    """By platform: share of tokens on instruction boundaries, and of random strings of the same lengths."""
    used: int
    utilisation: float
    """Ordinary tokens that occur, over all."""
    dead: dict[str, int]
    """Rank band -> tokens that never occur."""
    dead_tokens: tuple[DeadToken, ...]
    """The first of them by id."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


@dataclass(slots=True)
class _State:
    vocabulary: Vocabulary
    boundaries: BoundaryTally
    sections: SectionTally = field(default_factory=SectionTally)
    unparsed: list[UnparsedFile] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    tokens: int = 0
    places: Any = None


def inspect_binaries(
    tokenizer: Tokenizer,
    inputs: Sequence[str | Path],
    config: InspectBinariesConfig | None = None,
    *,
    progress: Callable[[str, int, int], object] | None = None,
) -> BinaryInspection:
    """Inspects ``tokenizer`` on the files of ``inputs``, or on the members of archives among them.

    Parsing runs in a limited child process (`tokforge.binaries.limited`); what it cannot parse is listed.

    Raises InputError as `open_sources`; ConfigError where the tokenizer rewrites bytes; MissingExtraError
    without the extra ``binary``.
    """
    config = config or InspectBinariesConfig()
    password = None if config.archive_password is None else config.archive_password.encode()
    archives = ArchiveOptions(password=password) if config.archives else None
    sources = open_sources(inputs, archives=archives)
    documents = (
        (document.path, bytes(document.data)) for _, _, document in read_sources(sources, progress=progress)
    )
    return inspect_documents(tokenizer, documents, config)


def inspect_documents(
    tokenizer: Tokenizer, documents: Iterable[tuple[str, bytes]], config: InspectBinariesConfig | None = None
) -> BinaryInspection:
    """Does the same on named files that are in memory."""
    config = config or InspectBinariesConfig()
    vocabulary = Vocabulary("", tokenizer)
    state = _State(vocabulary, BoundaryTally(config.seed))
    state.places = np.zeros(vocabulary.size * len(SECTION_KINDS), np.int64)
    limits = Limits(
        wall_seconds=config.timeout_seconds,
        cpu_seconds=int(config.timeout_seconds) + 1,
        memory_bytes=config.memory_bytes,
    )
    with Parser(limits, code_bytes=config.code_bytes) as parser:
        for path, data in documents:
            _add(state, path, data, parser.read(data), config)
    return _result(state)


def _add(
    state: _State, path: str, data: bytes, layout: Layout | Unparsed, config: InspectBinariesConfig
) -> None:
    ids, offsets = state.vocabulary.tokenizer.encode_with_offsets(data)
    starts = offsets.astype(np.int64)
    lengths = np.diff(starts, append=len(data))
    nuls = nul_runs(data, config.nul_run_bytes)
    kinds = kinds_of(layout, len(data))
    where = (layout.platform, layout.file_kind) if isinstance(layout, Layout) else ("unparsed", "unparsed")
    state.sections.add(where, np.frombuffer(data, np.uint8), kinds, nuls, lengths)
    state.files += 1
    state.bytes += len(data)
    state.tokens += len(ids)
    begins = np.where(nuls[starts], PADDING, kinds[starts]).astype(np.int64)
    width = len(SECTION_KINDS)
    state.places += np.bincount(ids.astype(np.int64) * width + begins, minlength=len(state.places))
    if isinstance(layout, Unparsed):
        state.unparsed.append(UnparsedFile(path, len(data), layout.reason))
        return
    for code in layout.code:
        state.boundaries.add(layout.platform, code, starts, lengths)


def _result(state: _State) -> BinaryInspection:
    vocabulary = state.vocabulary
    places = state.places.reshape(vocabulary.size, -1)
    counts = places.sum(1)
    ordinary = vocabulary.ordinary
    kinds, bands = token_kinds(vocabulary, places), band_of(vocabulary)
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    occurrences: Counter[str] = Counter()
    for at in np.flatnonzero(ordinary).tolist():
        table[bands[at]][kinds[at]] += 1
        occurrences[kinds[at]] += int(counts[at])
    dead = np.flatnonzero(ordinary & (counts == 0)).tolist()
    return BinaryInspection(
        vocab_size=vocabulary.size,
        files=state.files,
        bytes=state.bytes,
        tokens=state.tokens,
        sections=tuple(_rows(state.sections)),
        unparsed=tuple(state.unparsed),
        kinds={band: dict(found) for band, found in table.items()},
        occurrences={kind: count for kind, count in occurrences.items() if count},
        boundaries=tuple(state.boundaries.rows()),
        used=int((ordinary & (counts > 0)).sum()),
        utilisation=float((counts[ordinary] > 0).mean()) if ordinary.any() else 0.0,
        dead=dict(Counter(bands[at] for at in dead)),
        dead_tokens=tuple(
            DeadToken(at, printable(vocabulary.tokens[at]), kinds[at]) for at in dead[:DEAD_LISTED]
        ),
    )


def _rows(tally: SectionTally) -> list[dict[str, Any]]:
    """Returns the rows by platform, file kind, and the order of SECTION_KINDS, with ratios of bytes."""
    order = {name: at for at, name in enumerate(SECTION_KINDS)}
    rows = []
    for (platform, file_kind, section), one in sorted(
        tally.rows.items(), key=lambda item: (*item[0][:2], order[item[0][2]])
    ):
        counts = asdict(one)
        ratios = {
            "bytes_per_token": _ratio(one.bytes, one.tokens),
            "zstd_ratio": _ratio(one.bytes, one.zstd_bytes),
            "whole_bytes_per_token": _ratio(one.whole_bytes, one.whole_tokens),
            "whole_zstd_ratio": _ratio(one.whole_bytes, one.whole_zstd_bytes),
        }
        rows.append({"platform": platform, "file_kind": file_kind, "section": section, **counts, **ratios})
    return rows


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
