"""What a conversion found: the record that the command prints and a program can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer.display import printable
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["Comparison", "Conversion", "Difference", "Finding", "compare_ids"]

Ids = Sequence[int]
_SHOWN = 8
_LONGEST_PROBE = 200


class Finding(NamedTuple):
    """One thing that the user should know: what a reader ``assumed``, what is ``left_behind`` because the
    format has no place for it, what ``changed`` under ``--allow-lossy``, what was ``unproven``."""

    kind: Literal["assumed", "left_behind", "changed", "unproven"]
    message: str


class Difference(NamedTuple):
    """The first text that two readers cut differently, with both segmentations from where they part."""

    text: str
    left: str
    left_tokens: tuple[str, ...]
    left_ids: tuple[int, ...]
    right: str
    right_tokens: tuple[str, ...]
    right_ids: tuple[int, ...]

    def __str__(self) -> str:
        left, right = ("|".join(tokens) for tokens in (self.left_tokens, self.right_tokens))
        return f"{self.left} reads {self.text!r} as {left}, {self.right} as {right}"


class Comparison(NamedTuple):
    """How many probes differ, and the first that does."""

    left: str
    right: str
    probes: int
    differing: int
    first: Difference | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The outcome; ``refusal`` says why nothing was written."""

    input: str
    output: str
    source_format: str
    target_format: str
    written: tuple[str, ...]
    vocab_size: int
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    refusal: str | None
    id_map: npt.NDArray[np.int64] | None
    pat_str: str | None = None
    """The regex that tiktoken must be given with the ranks that were written."""

    @property
    def difference(self) -> Difference | None:
        """The first difference of the first comparison that has one."""
        return next((one.first for one in self.comparisons if one.first is not None), None)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields of `tokforge convert --json`; the id map is there as its size alone."""
        difference = self.difference
        return {
            "input": self.input,
            "output": self.output,
            "from": self.source_format,
            "to": self.target_format,
            "written": list(self.written),
            "vocab_size": self.vocab_size,
            "equal": all(one.differing == 0 for one in self.comparisons),
            "comparisons": [
                {"left": one.left, "right": one.right, "probes": one.probes, "differing": one.differing}
                for one in self.comparisons
            ],
            "difference": difference._asdict() if difference else None,
            "findings": [finding._asdict() for finding in self.findings],
            "refusal": self.refusal,
            "pat_str": self.pat_str,
            "ids_changed": 0
            if self.id_map is None
            else int((self.id_map != np.arange(len(self.id_map))).sum()),
        }


def compare_ids(
    names: tuple[str, str],
    probes: Sequence[bytes],
    ids: tuple[Sequence[Ids], Sequence[Ids]],
    tables: tuple[Tokenizer, Tokenizer],
    id_map: npt.NDArray[np.int64] | None = None,
) -> Comparison:
    """Compares two readers' ids, probe by probe; ``id_map`` takes the left ones to the right's numbers."""
    left, right = ids
    mapped = left if id_map is None else [id_map[np.asarray(one, np.int64)].tolist() for one in left]
    unequal = [i for i, (a, b) in enumerate(zip(mapped, right, strict=True)) if list(a) != list(b)]
    first = None
    if unequal:
        at = min(unequal, key=lambda i: len(probes[i]))  # the shortest tells most
        first = _difference(names, probes[at], (left[at], right[at]), _parting(mapped[at], right[at]), tables)
    return Comparison(*names, len(probes), len(unequal), first)


def _parting(left: Ids, right: Ids) -> int:
    pairs = zip(left, right, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))


def _difference(
    names: tuple[str, str], probe: bytes, ids: tuple[Ids, Ids], at: int, tables: tuple[Tokenizer, Tokenizer]
) -> Difference:
    text = printable(probe)
    shown = text if len(text) <= _LONGEST_PROBE else f"{text[:_LONGEST_PROBE]}..."
    sides = [
        _segmentation(own[max(0, at - 1) : at + _SHOWN], table)
        for own, table in zip(ids, tables, strict=True)
    ]
    windows = [tuple(map(int, own[max(0, at - 1) : at + _SHOWN])) for own in ids]
    return Difference(shown, names[0], sides[0], windows[0], names[1], sides[1], windows[1])


def _segmentation(ids: Ids, tokenizer: Tokenizer) -> tuple[str, ...]:
    tokens = tokenizer.table.tokens
    return tuple(printable(tokens[i]) if 0 <= i < len(tokens) else f"<no token {i}>" for i in map(int, ids))
