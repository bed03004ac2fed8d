"""Checkpoints: a training run that is killed goes on from where it last said so, to the same result.

A folder holds ``state.json`` (what was done, under a SHA-256 of itself) and counts files: ``run-*.counts`` of
the documents counted so far, then ``words.counts`` alone. A file counts only once the state names it, and
the state is replaced by a rename after all it names is on disk; so ``kill -9`` costs at most the work since.

Resuming reads the inputs again and holds them to a hash of their content. Counted words are not counted
again, and merges are replayed: the corpus is laid out as the tokens that they make of it.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokforge.bpe.config import BpeConfig
from tokforge.bpe.record import tool_version
from tokforge.bpe.start import Start
from tokforge.errors import ConfigError, FormatError, OutputError
from tokforge.inputs import ByteView
from tokforge.outputs import output_error, write_files
from tokforge.tokenizer.model import Merge

__all__ = ["Checkpoint", "Journal", "State"]

VERSION = 1
STATE = "state.json"
WORDS = "words.counts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """Where a run keeps what it has done, and how often."""

    folder: str | Path
    resume: bool = False
    """Go on from what the folder holds; without it, a folder that holds a checkpoint is refused."""
    seconds: float = 60.0
    """Longest time between two checkpoints, but for the work that one needs itself."""

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= 1e9:
            raise ConfigError(f"checkpoint seconds is {self.seconds}", "use 0 or more")


@dataclass(kw_only=True, slots=True)
class State:
    """What was done. ``documents`` and ``digest`` are of the inputs read so far."""

    options: str
    version: int = VERSION
    tool_version: str = field(default_factory=tool_version)
    documents: int = 0
    digest: str = ""
    runs: int = 0
    counted: bool = False
    merges: list[list[int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


class Journal:
    """The checkpoint of one run: reads the old state, holds the inputs to it, writes new ones.

    Raises:
        OutputError: the folder cannot be made, or holds a checkpoint that was not to be resumed.
        FormatError: the state is damaged, or of another version.
        ConfigError: the checkpoint is of other options, of another tokenizer to extend, or of other inputs.
    """

    def __init__(self, checkpoint: Checkpoint, config: BpeConfig, start: Start) -> None:
        self.folder = Path(checkpoint.folder)
        self.seconds = checkpoint.seconds
        options = _digest_of(config, start)
        path = self.folder / STATE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            exists = path.exists()
        except OSError as error:
            raise output_error(error, self.folder) from error
        if exists and not checkpoint.resume:
            raise OutputError("holds a checkpoint already", "resume it, or name another", str(self.folder))
        self.state = _read(path) if exists else State(options=options)
        if self.state.options != options:
            raise ConfigError(
                "the checkpoint is of other options, or of another tokenizer to extend",
                "give the same as before, or begin anew in another folder",
                str(self.folder),
            )
        self._seen = 0
        self._hash = hashlib.blake2b(digest_size=32)
        self._next = time.monotonic() + self.seconds

    @property
    def words(self) -> Path:
        """The file of all counted words."""
        return self.folder / WORDS

    @property
    def is_due(self) -> bool:
        """Whether the interval has passed."""
        return time.monotonic() >= self._next

    def watch(self, documents: Iterable[ByteView], *, all_again: bool = False) -> Iterator[ByteView]:
        """Yields the documents that the old state does not know, or all; holds the others to its hash."""
        known, digest = self.state.documents, self.state.digest
        for document in documents:
            self._seen += 1
            self._hash.update(len(document).to_bytes(8, "little"))
            self._hash.update(document)
            if self._seen == known and self._hash.hexdigest() != digest:
                raise self._other_inputs()
            if self._seen > known and self.state.counted:
                raise self._other_inputs()
            if self._seen > known or all_again:
                yield document
        if self._seen < known:
            raise self._other_inputs()

    def _other_inputs(self) -> ConfigError:
        return ConfigError(
            "the checkpoint is of other inputs",
            "give the same, in the same order, or begin anew in another folder",
            str(self.folder),
        )

    def save(self, **done: Any) -> None:
        """Replaces the state: ``done`` are fields that have changed."""
        for name, value in done.items():
            setattr(self.state, name, value)
        state = asdict(self.state)
        write_files({self.folder / STATE: json.dumps({"sha256": _sum(state), "state": state})}, force=True)
        self._next = time.monotonic() + self.seconds

    def save_documents(self, *, counted: bool = False, runs: int = 0) -> None:
        """Saves that all documents so far were counted: into so many runs, or (``counted``) into `words`."""
        self.save(documents=self._seen, digest=self._hash.hexdigest(), counted=counted, runs=runs)
        if counted:
            for run in self.folder.glob("run-*.counts"):
                run.unlink(missing_ok=True)

    def save_merges(self, merges: Sequence[Merge], counts: Sequence[int], tokens: Sequence[int]) -> None:
        """Saves all merges of this training, those of the run before included."""
        self.save(merges=[list(merge) for merge in merges], counts=list(counts), tokens=list(tokens))

    def kept(self, merges: int) -> tuple[list[int], list[int]]:
        """Returns the counts of so many merges, and the tokens that each left."""
        return self.state.counts[:merges], self.state.tokens[:merges]

    def replayed(self, start: Start) -> list[Merge]:
        """Returns the merges to go on from: those to the first that made a token there was already.

        Laying out applies merges by rank, which is what training did only while each made a new token. That
        can differ only where a tokenizer is extended; the rest is then learned again, to the same merges.
        """
        merges: list[Merge] = []
        for left, right, merged in self.state.merges:
            if merged != len(start.tokens) + len(merges):
                break
            merges.append((left, right, merged))
        return merges


def _digest_of(config: BpeConfig, start: Start) -> str:
    from tokforge import _core

    told = {"options": config.as_dict(), "unicode": _core.UNICODE_VERSION, "pipeline": repr(start.pipeline)}
    digest = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=32)
    digest.update(repr(start.tokens).encode())
    digest.update(repr([tuple(merge) for merge in start.merges]).encode())
    return digest.hexdigest()


def _sum(state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> State:
    hint = "begin anew in another folder"
    try:
        outer = json.loads(path.read_bytes())
        state, told = outer["state"], outer["sha256"]
        version, tool = state["version"], state["tool_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError("is no checkpoint, or a damaged one", hint, str(path)) from error
    if (version, tool) != (VERSION, tool_version()):
        raise FormatError(
            f"is a checkpoint of tokforge {tool}, and this is {tool_version()}",
            f"resume it with that release, or {hint}",
            str(path),
        )
    if _sum(state) != told:
        raise FormatError("is a damaged checkpoint: its checksum is wrong", hint, str(path))
    runs = sum(1 for _ in path.parent.glob("run-*.counts"))
    if not _is_state(state) or state["runs"] > (0 if state["counted"] else runs):
        raise FormatError("is no checkpoint: its fields contradict each other", hint, str(path))
    return State(**state)


def _is_state(state: dict[str, Any]) -> bool:
    """Tells whether the fields are those of `State`, each of its type and as long as the others.

    A checksum shows accidents; whoever can write the folder can also write a checksum.
    """
    default = asdict(State(options=""))
    if state.keys() != default.keys() or any(
        type(state[name]) is not type(default[name]) for name in default
    ):
        return False
    merges, lists = state["merges"], (state["counts"], state["tokens"])
    numbers = [*lists, *(merge for merge in merges if isinstance(merge, list) and len(merge) == 3)]
    return (
        len(numbers) == len(merges) + 2
        and all(len(one) == len(merges) for one in lists)
        and all(type(n) is int and 0 <= n < 1 << 64 for one in numbers for n in one)
        and all(left < made and right < made < 1 << 32 for left, right, made in merges)
        and 0 <= state["documents"] < 1 << 64
        and state["runs"] >= 0
    )
