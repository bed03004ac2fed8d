"""Checks of a transplanted model, against the files that were written and against the model it came from.

Each check ends in ``pass``, ``warn``, ``fail`` or ``skipped``, with the figure that decided. Tensors:
everything without rows is bit-identical; copied rows are; no row is NaN, zero, or that of the unknown
token. Running: on sequences of shared tokens both models have equal hidden states, and equal logits at
shared tokens; generation stays within the new ids; the chat template's markers are single ids.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tokforge.transplant.alignment import Alignment
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.mix import Matrix
from tokforge.transplant.tensor_file import Array, as_float32

__all__ = ["Check", "Outcome", "verify_rows", "verify_tensors"]

Outcome = Literal["pass", "warn", "fail", "skipped"]
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Check:
    """One check and what it found."""

    name: str
    outcome: Outcome
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Returns the check as JSON values."""
        return asdict(self)


def verify_tensors(old: Checkpoint, folder: Path) -> Check:
    """Compares every tensor without rows, byte for byte."""
    new = Checkpoint.open(folder)
    count, size = 0, 0
    for file, name in old.untouched():
        other = new.file_of(name)
        if (
            file.tensors[name].dtype != other.tensors[name].dtype
            or file.tensors[name].shape != other.tensors[name].shape
        ):
            return Check("other tensors", "fail", f"{name} has another type or shape")
        if any(a != b for a, b in zip(file.blocks(name), other.blocks(name), strict=True)):
            return Check("other tensors", "fail", f"{name} differs")
        count, size = count + 1, size + file.tensors[name].size
    return Check("other tensors", "pass", f"{count} tensors, {size:,} bytes, are bit-identical")


def verify_rows(old: Array, new: Array, alignment: Alignment, name: str) -> list[Check]:
    """Checks the rows of one matrix or bias: copies, NaN, zeros, the unknown token's row, norms."""
    before, after = Matrix.of(old), Matrix.of(new)
    checks = [_same_copies(before, after, alignment, name)]
    if after.shape[1] == 1:
        bad = int(np.isnan(as_float32(after.stored)).sum())
        return [*checks, Check(f"{name}: numbers", "fail" if bad else "pass", f"{bad} NaN")]
    return [*checks, _sound(before, after, alignment, name), _norms(before, after, alignment, name)]


def _same_copies(before: Matrix, after: Matrix, alignment: Alignment, name: str) -> Check:
    ids = alignment.copied
    bad = 0
    for part in _parts(len(ids), before.shape[1]):
        bad += int((after.stored[ids[part]] != before.stored[alignment.origins[ids[part]]]).any(1).sum())
    # A NaN differs from itself, and one in a copied row is the old model's own.
    return Check(f"{name}: copies", "fail" if bad else "pass", f"{len(ids) - bad:,} of {len(ids):,} equal")


def _sound(before: Matrix, after: Matrix, alignment: Alignment, name: str) -> Check:
    made = np.flatnonzero(alignment.origins < 0)
    unknown = alignment.old.roles.get("unk")
    model = None if unknown is None else as_float32(before.stored[unknown])
    nan = zero = same = 0
    for part in _parts(len(made), after.shape[1]):
        rows = as_float32(after.stored[made[part]])
        nan += int((~np.isfinite(rows)).any(1).sum())
        zero += int((rows == 0).all(1).sum())
        same += 0 if model is None else int((rows == model).all(1).sum())
    bad = nan + zero + same
    return Check(
        f"{name}: sound",
        "fail" if bad else "pass",
        f"{nan} NaN, {zero} zero, {same} equal to the unknown token",
    )


def _norms(before: Matrix, after: Matrix, alignment: Alignment, name: str) -> Check:
    if not len(alignment.composed) or not len(alignment.copied):
        return Check(f"{name}: norms", "skipped", "nothing to compare")
    made = _quantiles(after, alignment.composed)
    kept = _quantiles(after, alignment.copied)
    low, high = made[0] / max(kept[0], 1e-30), made[2] / max(kept[2], 1e-30)
    wide, wild = not (low >= 0.5 and high <= 2), not (low >= 0.1 and high <= 10)
    shown = "/".join(f"{q:.3g}" for q in made) + ", copied " + "/".join(f"{q:.3g}" for q in kept)
    return Check(f"{name}: norms", "fail" if wild else "warn" if wide else "pass", f"5/50/95%: {shown}")


def _quantiles(matrix: Matrix, ids: Array) -> list[float]:
    norms = [np.linalg.norm(matrix.take(ids[part]), axis=1) for part in _parts(len(ids), matrix.shape[1])]
    return [float(q) for q in np.quantile(np.concatenate(norms), [0.05, 0.5, 0.95])]


def _parts(count: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // width)
    yield from (slice(begin, min(begin + step, count)) for begin in range(0, count, step))
