"""How inputs are opened and what of them is left out; by default files are read as they are, all of them."""

import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from tokforge.errors import ConfigError, pick
from tokforge.options import check_types

__all__ = ["CurationConfig", "Duplicates", "parse_time"]

Duplicates = Literal["keep", "exact", "near"]
_LEAST_SIMILARITY = 0.5  # below it the bands of the index begin to miss pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class CurationConfig:
    """Options of `tokforge.inputs.curation.Curation`, each off by default."""

    archives: bool = False
    """Read the members of zip, tar and ar files (wheels, .deb, AAR, APK) in their place."""
    archive_password: str | None = field(default=None, repr=False)
    """Opens encrypted zips. Never stored."""
    archive_depth: int = 4
    """Archives within archives that are opened."""
    archive_member_bytes: int = 256 << 20
    """Largest member; an archive with a larger one is read up to it and reported."""
    labels: str | None = None
    """A CSV with a column ``sha256`` or ``path``, and ``group``, ``time`` or both."""
    cap_per_group: int | None = None
    """Most documents of a group: the CSV's, else the first folder below the INPUT."""
    cap_bytes_per_group: int | None = None
    """Most bytes of a group; the documents that fit, in the order of the seed."""
    since: str | None = None
    """Only documents dated then or later, by the CSV; an ISO date or time, UTC unless it says otherwise."""
    before: str | None = None
    """Only documents dated earlier."""
    duplicates: str = "keep"
    """``keep``; ``exact``: equal contents once; ``near``: of documents that share most chunks, one."""
    similarity: float = 0.8
    """Estimated Jaccard similarity of two documents' chunks from which on they are near-duplicates."""
    min_entropy: float | None = None
    """Blocks below this many bits a byte are left out: padding, tables of zeros."""
    max_entropy: float | None = None
    """Blocks above are left out: compressed, packed or encrypted sections."""
    entropy_block_bytes: int = 4096
    """Size of these blocks; a document's last one is up to twice as long."""
    nul_run_bytes: int | None = None
    """Runs of as many NULs or more stand alone: no token crosses their ends."""
    seed: int = 0
    """Which documents of a group, and which of near-duplicates, are kept."""

    def __post_init__(self) -> None:
        check_types(self)
        pick("duplicates", self.duplicates, dict.fromkeys(get_args(Duplicates)))
        for name in ("cap_per_group", "cap_bytes_per_group", "nul_run_bytes", "archive_depth"):
            _at_least(name, getattr(self, name), 1)
        for name in ("archive_member_bytes", "entropy_block_bytes"):
            _at_least(name, getattr(self, name), 256)
        if not _LEAST_SIMILARITY <= self.similarity <= 1:
            raise ConfigError(f"similarity is {self.similarity}", f"use {_LEAST_SIMILARITY} to 1")
        if not 0 <= self.seed < 1 << 64:
            raise ConfigError(f"seed is {self.seed}", "use a number from 0 to 2**64 - 1")
        self._check_entropy()
        self._check_times()

    def _check_entropy(self) -> None:
        for name in ("min_entropy", "max_entropy"):
            bound = getattr(self, name)
            if bound is not None and not 0 <= bound <= 8:
                raise ConfigError(f"{name} is {bound}", "use 0 to 8 bits a byte")
        if (self.min_entropy or 0) > (8 if self.max_entropy is None else self.max_entropy):
            raise ConfigError(f"min_entropy is {self.min_entropy}, above max_entropy", "exchange them")

    def _check_times(self) -> None:
        since, before = self.times
        if since >= before:
            raise ConfigError(f"since is {self.since}, not earlier than before", "exchange them")
        if (self.since or self.before) and self.labels is None:
            raise ConfigError("since and before need dates", "give a CSV with a column `time` as labels")

    @property
    def times(self) -> tuple[float, float]:
        """The span of time as seconds since 1970, [since, before)."""
        since = parse_time(self.since, "since") if self.since else -math.inf
        return since, parse_time(self.before, "before") if self.before else math.inf

    @property
    def chooses(self) -> bool:
        """Whether whole documents are left out."""
        asked = (self.cap_per_group, self.cap_bytes_per_group, self.since, self.before)
        return self.duplicates != "keep" or any(one is not None for one in asked)

    @property
    def cuts(self) -> bool:
        """Whether documents are cut."""
        bounds = (self.min_entropy, self.max_entropy, self.nul_run_bytes)
        return any(one is not None for one in bounds)

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as plain JSON values; of the password, whether there was one."""
        return asdict(self) | {"archive_password": self.archive_password is not None}


def _at_least(name: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise ConfigError(f"{name} is {value}", f"use {least} or more")


def parse_time(text: str, where: str) -> float:
    """Reads an ISO 8601 date or time as seconds since 1970; raises ConfigError for anything else."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no date", "write it as 2024-12-31 or 2024-12-31T23:59:59Z", where
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
