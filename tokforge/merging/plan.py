"""The plan of one text: which neighbouring tokens become one.

Definition: `segment_ids` numbers the rows that the model will see after merging: 0 for the first token, one
more at every token that does not continue the unit of the token before it. Invariant: segments are contiguous
and in order; special tokens, straddling tokens and units of more than ``max_unit`` tokens stay as they are.
Memory: four bytes a token beside the ids, whatever the units.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.merging.align import tokens_in_units
from tokforge.merging.encode import encode_for_plan
from tokforge.merging.other_units import provider_for
from tokforge.merging.units import SpanProvider, Units, given_spans, kinds_of

__all__ = ["MAX_UNIT", "MergePlan", "PlanCounts", "batch_plans", "plan_for", "plan_tokens", "segments"]

MAX_UNIT = 16
"""Most tokens that become one: a longer unit is a text (a docstring, a table), not a name."""

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCounts:
    """What planning met on its way."""

    units: int = 0
    """Units of the policy in the text."""
    merged_units: int = 0
    """Of these, the ones that at least two tokens became one for."""
    straddling_tokens: int = 0
    """Tokens that reach over the end of a unit; they are left alone."""
    too_long_units: int = 0
    """Units of more than `max_unit` tokens; they are left alone."""
    parse_errors: int = 0
    truncated_tokens: int = 0
    """Tokens that were cut off, always together with the rest of their unit."""

    def as_dict(self) -> dict[str, int]:
        """Returns the fields."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MergePlan:
    """How the tokens of one text are merged."""

    input_ids: npt.NDArray[np.int64]
    """(tokens,)"""
    segment_ids: Ids
    """(tokens,) - the row of each token after merging."""
    counts: PlanCounts

    @property
    def n_tokens(self) -> int:
        """Tokens before merging."""
        return len(self.input_ids)

    @property
    def n_units(self) -> int:
        """Rows after merging."""
        return int(self.segment_ids[-1]) + 1 if len(self.segment_ids) else 0

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """(n_units,) - tokens in each row."""
        return np.bincount(self.segment_ids, minlength=self.n_units)

    @property
    def reduction(self) -> float:
        """Share of the length that merging takes away."""
        return 1 - self.n_units / self.n_tokens if self.n_tokens else 0.0

    def features(self) -> dict[str, list[int]]:
        """Returns ``input_ids`` and ``segment_ids`` as a row of a data set; see `MergingCollator`."""
        return {"input_ids": self.input_ids.tolist(), "segment_ids": self.segment_ids.tolist()}


def plan_for(
    code: str,
    tokenizer: Any,
    *,
    language: str | None = None,
    units: str = "identifiers",
    provider: SpanProvider | None = None,
    spans: Sequence[tuple[int, int]] | None = None,
    max_unit: int = MAX_UNIT,
    max_units: int | None = None,
    max_tokens: int | None = None,
) -> MergePlan:
    """Plans the merging of one text.

    Args:
        tokenizer: a fast tokenizer of transformers (special tokens are added), one of tokenizers, or ours.
        language: a grammar's name (python, java, c, cpp, c-sharp, javascript) or a Pygments lexer's.
        units: ``identifiers``, ``identifiers+strings``, ``identifiers+numbers``, any such sum, ``leaves``,
            ``words``, or ``none``.
        provider: finds the units instead of the grammar; ``spans``: they are these, in characters.
        max_unit: units of more tokens are left alone.
        max_units: rows after merging that are kept. The whole text is planned first and cut between
            units, and the special tokens at its end are kept.
        max_tokens: tokens before merging that are kept, likewise.

    Raises:
        UnknownNameError: of a language or policy. MissingExtraError: of a grammar that is not installed.
        ConfigError: the tokenizer gives no offsets, or a limit leaves no room.
        InputError: the text holds lone surrogates.
    """
    if spans is not None:
        units, provider = "given", given_spans(spans)
    kinds = kinds_of(units)
    if max_unit < 1:
        raise ConfigError(f"max_unit is {max_unit}", "use 1 (nothing is merged) or more", "max_unit")
    found = (provider or provider_for(language, units))(code).keep(kinds)
    ids, offsets = encode_for_plan(code, tokenizer)
    plan = plan_tokens(code, ids, offsets, found, max_unit)
    return _cut(plan, _special_end(offsets), max_units, max_tokens)


def plan_tokens(
    text: str, ids: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], units: Units, max_unit: int
) -> MergePlan:
    """Plans tokens whose offsets and units are known."""
    inside, straddles = tokens_in_units(text, offsets, units)
    segment_ids, too_long = segments(inside, max_unit)
    shared = np.diff(segment_ids) == 0
    counts = PlanCounts(
        units=len(units),
        merged_units=len(np.unique(inside[1:][shared])),
        straddling_tokens=int(straddles.sum()),
        too_long_units=too_long,
        parse_errors=units.parse_errors,
    )
    return MergePlan(input_ids=ids, segment_ids=segment_ids, counts=counts)


def segments(inside: npt.NDArray[np.int64], max_unit: int) -> tuple[Ids, int]:
    """Returns the segment of each token from its unit (-1: none), and how many units were too long.

    Source: twin of `_reference.segment_ids`.
    """
    if not len(inside):
        return np.zeros(0, np.int32), 0
    starts = np.append(True, (inside[1:] != inside[:-1]) | (inside[1:] < 0))
    run = np.cumsum(starts) - 1
    long = np.bincount(run) > max_unit
    return (np.cumsum(starts | long[run]) - 1).astype(np.int32), int(long.sum())


def batch_plans(plans: Sequence[MergePlan], *, pad_token_id: int = 0) -> dict[str, npt.NDArray[np.int64]]:
    """Stacks plans: ``input_ids``, ``attention_mask`` and ``segment_ids``, each (plans, longest).

    Padding stands at the right, with mask 0 and segment -1.
    """
    length = max((plan.n_tokens for plan in plans), default=0)
    shape = (len(plans), length)
    ids, mask = np.full(shape, pad_token_id, np.int64), np.zeros(shape, np.int64)
    segment_ids = np.full(shape, -1, np.int64)
    for row, plan in enumerate(plans):
        ids[row, : plan.n_tokens] = plan.input_ids
        segment_ids[row, : plan.n_tokens] = plan.segment_ids
        mask[row, : plan.n_tokens] = 1
    return {"input_ids": ids, "attention_mask": mask, "segment_ids": segment_ids}


def _special_end(offsets: npt.NDArray[np.int64]) -> int:
    """Returns how many tokens at the end stand for no text."""
    some = np.flatnonzero(offsets[:, 0] < offsets[:, 1])
    return len(offsets) - int(some[-1]) - 1 if len(some) else 0


def _cut(plan: MergePlan, suffix: int, max_units: int | None, max_tokens: int | None) -> MergePlan:
    fits_units = max_units is None or plan.n_units <= max_units
    fits_tokens = max_tokens is None or plan.n_tokens <= max_tokens
    if fits_units and fits_tokens:
        return plan
    ends = np.cumsum(plan.sizes)  # tokens up to and with each row
    room = len(ends) - suffix
    if max_units is not None:
        room = min(room, max_units - suffix)
    if max_tokens is not None:
        room = min(room, int(np.searchsorted(ends, max_tokens - suffix, "right")))
    if room < 1:
        limit = min(limit for limit in (max_units, max_tokens) if limit is not None)
        raise ConfigError(
            f"a limit of {limit} leaves no room beside {suffix} special tokens", "use a larger one"
        )
    kept = int(ends[room - 1])
    body, tail = slice(0, kept), slice(plan.n_tokens - suffix, None)
    tail_rows = np.arange(room, room + suffix, dtype=np.int32)
    cut = plan.n_tokens - kept - suffix
    counts = PlanCounts(**{**plan.counts.as_dict(), "truncated_tokens": cut})
    return MergePlan(
        input_ids=np.concatenate([plan.input_ids[body], plan.input_ids[tail]]),
        segment_ids=np.concatenate([plan.segment_ids[body], tail_rows]),
        counts=counts,
    )
