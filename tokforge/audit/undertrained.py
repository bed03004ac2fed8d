"""Tokens that a model has hardly seen, by its embeddings: candidates, since no prompt verifies them here.

Definition: the tokens with the lowest `SHARE` of an indicator among ordinary ones. It is the length of the
input row where input and output are two matrices, and the cosine distance to the mean of the rows known to
be unused, without the first principal component, where they are one. Known to be unused are rows beyond the
vocabulary, ids without a token, bytes that UTF-8 never holds, tokens named reserved or unused, rows equal to
one another, and what the user names. Special, unreachable and partial tokens and single bytes are counted
apart: their rows are odd for reasons of their own. Source: Land and Bartolo 2024, arXiv 2405.05417.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.audit.belonging import check_belongs
from tokforge.audit.indicators import equal_rows, indicators, lengths
from tokforge.audit.model_rows import Matrix, ModelRows, open_model
from tokforge.errors import ConfigError, FormatError
from tokforge.metrics.reach import never_split_to, unreachable
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import printable

__all__ = ["SHARE", "IndicatedToken", "UnderTrained", "under_trained"]

Floats = npt.NDArray[np.float64]
SHARE = 0.02
"""Share of the ordinary tokens that are candidates."""
LISTED = 200
_RESERVED = re.compile(rb"(?i)(?:^|[^a-z])(?:unused|reserved)(?:[^a-z]|$)")
_NEVER = {0xC0, 0xC1, *range(0xF5, 0x100)}
"""Bytes that no UTF-8 text holds."""
_LENGTH, _DISTANCE = "input_length", "cosine_without_first_component"


@dataclass(frozen=True, slots=True)
class IndicatedToken:
    """One token and its indicator, low for a row that looks untrained."""

    id: int
    text: str
    indicator: float
    distance: float | None
    """Cosine distance of its row of the head to the mean of the unused rows, without the first component."""
    as_unused: bool
    """No higher than `UnderTrained.unused_level`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnderTrained:
    """What `under_trained` found; lists hold at most `LISTED` tokens, counts hold all."""

    model: str
    matrix: str
    """The tensor of the indicator."""
    rows: int
    width: int
    tied: bool
    indicator: str
    """``input_length`` or ``cosine_without_first_component``."""
    threshold: float
    """The indicator of the last candidate's place: the lowest `SHARE` of ordinary tokens."""
    unused: dict[str, int]
    """Why a row is known to be unused -> rows; a row counts once."""
    unused_level: float | None
    """What nine in ten of the rows known to be unused do not exceed."""
    counts: dict[str, int]
    """Kind, as in `tokens`, -> tokens; and ``as_unused``, the candidates as low as rows never used."""
    tokens: dict[str, tuple[IndicatedToken, ...]]
    """candidates, special, unreachable, partial_utf8, bytes: at or below the threshold, lowest first."""
    warnings: tuple[str, ...]
    verified: bool = False
    """Whether prompts verified the candidates: never here."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


def under_trained(
    vocabulary: Vocabulary, model: str | Path, *, size: int | None = None, unused: Sequence[int] = ()
) -> UnderTrained:
    """Finds the tokens that the model at ``model`` (a folder, or a GGUF file) has hardly seen.

    ``size``: ids that have a row, all if None; ``unused``: more ids that are known to be unused. Raises
    what `open_model` does, FormatError for a model of another tokenizer, ConfigError where the
    matrices are one and nothing is known to be unused, or ``unused`` names no row.
    """
    opened = open_model(model)
    size = vocabulary.size if size is None else size
    doubts = check_belongs(vocabulary, size, Path(model), opened.input.rows)
    known = _known(vocabulary, size, opened.input, unused)
    distances = _distances(opened, sorted(known))
    values = distances if opened.tied else lengths(opened.input)
    if values is None:
        raise ConfigError(
            "input and output are one matrix, and no row of it is known to be unused",
            "name ids that no training text held, as --unused 100-120",
            "--unused",
        )
    groups = _groups(vocabulary, size)
    if not groups["candidates"]:
        raise FormatError("the tokenizer has no ordinary token of two bytes", "give another", vocabulary.name)
    threshold = float(np.percentile(values[groups["candidates"]], 100 * SHARE))
    level = float(np.percentile(values[sorted(known)], 90)) if known else None
    listed = _Listed(vocabulary, values, distances, threshold, level)
    found = {kind: listed.lowest(ids) for kind, ids in groups.items()}
    return UnderTrained(
        model=opened.source,
        matrix=opened.input.name,
        rows=opened.input.rows,
        width=opened.input.width,
        tied=opened.tied,
        indicator=_DISTANCE if opened.tied else _LENGTH,
        threshold=threshold,
        unused=_reasons(known),
        unused_level=level,
        counts={
            **{kind: len(tokens) for kind, tokens in found.items()},
            "as_unused": sum(one.as_unused for one in found["candidates"]),
        },
        tokens={kind: tuple(tokens[:LISTED]) for kind, tokens in found.items()},
        warnings=(*doubts, *_warnings(opened, level, threshold)),
    )


def _distances(opened: ModelRows, known: list[int]) -> Floats | None:
    """Returns the distance of each row of the head; None without a head, or a row to measure from."""
    head = opened.input if opened.tied else opened.output
    if head is None or not any(head.read(i, i + 1).any() for i in known):
        return None
    return indicators(head, known)[_DISTANCE]


def _known(vocabulary: Vocabulary, size: int, matrix: Matrix, named: Sequence[int]) -> dict[int, str]:
    """Returns id -> why its row is known to be unused."""
    wrong = [i for i in named if not 0 <= i < matrix.rows]
    if wrong:
        raise ConfigError(f"the model has no row {wrong[0]}", f"rows are 0 to {matrix.rows - 1}", "--unused")
    kinds, tokens = vocabulary.tokenizer.table.kinds[:size], vocabulary.tokens[:size]
    never = [i for i, token in enumerate(tokens) if len(token) == 1 and token[0] in _NEVER]
    special = [i for i, kind in enumerate(kinds) if kind in ("special", "added")]
    found = dict.fromkeys(equal_rows(matrix), "equal rows")
    found |= dict.fromkeys((i for i in special if _RESERVED.search(tokens[i])), "named reserved or unused")
    found |= dict.fromkeys(never, "bytes never in UTF-8")
    found |= dict.fromkeys((i for i, kind in enumerate(kinds) if kind == "unused"), "ids without a token")
    found |= dict.fromkeys(range(size, matrix.rows), "rows beyond the vocabulary")
    return found | dict.fromkeys(named, "named by the user")


def _reasons(known: dict[int, str]) -> dict[str, int]:
    reasons = list(known.values())
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _groups(vocabulary: Vocabulary, size: int) -> dict[str, list[int]]:
    """Returns kind -> ids; every id with a token is in exactly one."""
    tokens, kinds = vocabulary.tokens[:size], vocabulary.tokenizer.table.kinds[:size]
    dead = {*unreachable(vocabulary), *never_split_to(vocabulary)}
    groups: dict[str, list[int]] = {
        kind: [] for kind in ("candidates", "special", "unreachable", "partial_utf8", "bytes")
    }
    for i, (token, kind) in enumerate(zip(tokens, kinds, strict=True)):
        if kind in ("special", "added"):
            groups["special"].append(i)
        elif kind == "unused":
            continue
        elif len(token) == 1:
            groups["bytes"].append(i)
        elif vocabulary.partial[i]:
            groups["partial_utf8"].append(i)
        else:
            groups["unreachable" if i in dead else "candidates"].append(i)
    return groups


@dataclass(frozen=True, slots=True)
class _Listed:
    """Numbers of every id, from which tokens are listed."""

    vocabulary: Vocabulary
    values: Floats
    distances: Floats | None
    threshold: float
    level: float | None

    def lowest(self, ids: Sequence[int]) -> list[IndicatedToken]:
        """Returns those of ``ids`` at or below the threshold, lowest first, the lower id on a tie."""
        low = sorted((i for i in ids if self.values[i] <= self.threshold), key=lambda i: (self.values[i], i))
        return [self._token(i) for i in low]

    def _token(self, i: int) -> IndicatedToken:
        value = float(self.values[i])
        distance = None if self.distances is None else float(self.distances[i])
        as_unused = self.level is not None and value <= self.level
        return IndicatedToken(i, printable(self.vocabulary.tokens[i]), value, distance, as_unused)


def _warnings(opened: ModelRows, level: float | None, threshold: float) -> tuple[str, ...]:
    found = []
    if opened.biased:
        found.append("the head adds a bias, which these indicators do not see")
    if level is None:
        found.append("no row is known to be unused, so nothing says how short an untrained row is")
    elif level > threshold:
        found.append(
            "the rows known to be unused are not alike, or look trained: some lie above the threshold"
        )
    return tuple(found)
