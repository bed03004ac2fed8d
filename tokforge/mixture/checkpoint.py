"""Checkpoints of the programme's rows: a run that is killed goes on from them, to the same result.

The programme grows by sweeps over the history, and all else follows from what they found: the solver is
deterministic. So a checkpoint is the sweeps in their order, one file each, ``sweep-00007.npz``, and
``state.json``, which names the merges, the references and the options they belong to. Resuming counts and
replays again, answers the first sweeps from the files as long as they are asked the same, and goes on: the
same rows, hence the same bytes out.

A sweep costs by far the most; what is in hand is written every ``seconds`` and when the programme ends.
"""

import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from tokforge.bpe import Checkpoint
from tokforge.bpe.record import tool_version
from tokforge.errors import ConfigError, FormatError, OutputError
from tokforge.mixture.counts_file import DAMAGED
from tokforge.mixture.history import History
from tokforge.outputs import output_error, write_files

if TYPE_CHECKING:
    from tokforge._core import MixtureHistory

__all__ = ["kept_history"]

STATE = "state.json"
_DTYPES = (np.uint32, np.uint32, np.float64, np.uint8)
_NAMES = ("steps", "pairs", "excess", "asked")
Found = tuple[bytes | bytearray, bytes | bytearray, bytes | bytearray]
"""Steps, pairs and excess of one sweep, as the engine gives them."""


def kept_history(
    history: History, checkpoint: Checkpoint, about: Mapping[str, Any]
) -> "tuple[History, _Kept]":
    """Returns ``history`` whose sweeps are kept in the checkpoint's folder, and what keeps them.

    ``about``: what the sweeps depend on beside the history, as JSON values.

    Raises:
        OutputError: the folder cannot be made, or holds a checkpoint that was not to be resumed.
        FormatError: a file of it is damaged.
        ConfigError: it is of other merges, references or options, or of another release.
    """
    kept = _Kept(history.engine, checkpoint, _digest(history, about))
    return replace(history, engine=cast("MixtureHistory", kept)), kept


class _Kept:
    """The engine's history, with sweeps that are on disk already."""

    def __init__(self, engine: "MixtureHistory", checkpoint: Checkpoint, digest: str) -> None:
        self.counts = engine.counts
        self._engine, self._folder, self._seconds = engine, Path(checkpoint.folder), checkpoint.seconds
        _open(self._folder, digest, resume=checkpoint.resume)
        self._old = sum(1 for _ in takewhile(Path.exists, map(self._file, count())))
        self._asked, self._new = 0, list[tuple[Found, bytes]]()
        self._next = time.monotonic() + self._seconds

    def sweep(
        self,
        scale: npt.NDArray[np.float64],
        step_slack: npt.NDArray[np.float64],
        pair_slack: npt.NDArray[np.float64],
        **options: Any,
    ) -> Found:
        """As the engine's; the first ones are read."""
        asked = _asked(scale, step_slack, pair_slack, options)
        if self._asked < self._old:
            found, told = _read(self._file(self._asked))
            if told == asked:
                self._asked += 1
                return found
            self._old = self._asked  # the last sweep after an interruption is for the bounds alone
        found = self._engine.sweep(scale, step_slack, pair_slack, **options)
        self._asked += 1
        self._new.append((found, asked))
        if time.monotonic() >= self._next:
            self.save()
        return found

    def save(self) -> None:
        """Writes the sweeps that are in hand."""
        for found, asked in self._new:
            content = io.BytesIO()
            arrays = zip(_NAMES, (*found, asked), _DTYPES, strict=True)
            np.savez(content, **{name: np.frombuffer(data, dtype) for name, data, dtype in arrays})  # type: ignore[arg-type]
            write_files({self._file(self._old): content.getvalue()}, force=True)
            self._old += 1
        self._new.clear()
        self._next = time.monotonic() + self._seconds

    def _file(self, number: int) -> Path:
        return self._folder / f"sweep-{number:05}.npz"


def _open(folder: Path, digest: str, *, resume: bool) -> None:
    path = folder / STATE
    told = {"version": 1, "tool_version": tool_version(), "digest": digest}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        exists = path.exists()
    except OSError as error:
        raise output_error(error, folder) from error
    if not exists:
        write_files({path: json.dumps(told)})
        return
    if not resume:
        raise OutputError("holds a checkpoint already", "resume it, or name another", str(folder))
    try:
        state = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(
            "is no checkpoint, or a damaged one", "begin anew in another folder", str(path)
        ) from error
    if state != told:
        raise ConfigError(
            "the checkpoint is of other merges, references or options, or of another release",
            "give the same as before, or begin anew in another folder",
            str(folder),
        )


def _read(path: Path) -> tuple[Found, bytes]:
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = [file[name] for name in _NAMES]
    except (OSError, *DAMAGED) as error:
        raise FormatError("is a damaged checkpoint", "delete it and those behind it", str(path)) from error
    if [one.dtype for one in arrays] != list(_DTYPES) or len({one.shape for one in arrays[:3]}) > 1:
        raise FormatError("is a damaged checkpoint", "delete it and those behind it", str(path))
    steps, pairs, excess, asked = (one.tobytes() for one in arrays)
    return (steps, pairs, excess), asked


def _asked(*arguments: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for one in arguments:
        digest.update(repr(sorted(one.items())).encode() if isinstance(one, dict) else one.tobytes())
    return digest.digest()


def _digest(history: History, about: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=32)
    for part in (
        history.category_of,
        history.totals,
        history.merge_counts,
        history.merge_pairs,
        history.pairs,
    ):
        digest.update(repr(part.shape).encode())
        digest.update(part.tobytes())
    digest.update(str(history.first).encode())
    return digest.hexdigest()
