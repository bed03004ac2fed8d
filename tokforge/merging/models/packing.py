"""A batch of plans as tensors: where each token goes, and what stands in each row.

Definition: ``segment_ids`` (batch, tokens) holds the row of each token within its text, -1 for padding. Rows
are packed at the left, or at the right where a decoder goes on from the last one. All operations are one
gather or one scatter: no loop, no (tokens x rows) matrix.
"""

from functools import cached_property

import torch
from torch import Tensor

from tokforge.errors import ConfigError

__all__ = ["Packing"]


class Packing:
    """Where the tokens of a batch go.

    Shapes: segment_ids (batch, tokens); rows M is the largest number of units of one text in the batch.
    Raises ConfigError for ids that do not count up from 0 in steps of 0 or 1.
    """

    def __init__(self, segment_ids: Tensor, *, at_right: bool = False) -> None:
        valid = segment_ids >= 0
        if segment_ids.ndim != 2 or not bool(_counts_up(segment_ids, valid)):
            raise ConfigError(
                "segment_ids do not count the rows of a text: 0, then 0 or 1 more a token, -1 for padding",
                "take them from plan_for, batch_plans or MergingCollator",
                "segment_ids",
            )
        self.batch, self.tokens = segment_ids.shape
        self.valid = valid
        self.n_units = segment_ids.amax(1) + 1  # (batch,)
        self.rows = max(int(self.n_units.max()), 1)
        shift = self.rows - self.n_units if at_right else torch.zeros_like(self.n_units)
        self.slots = torch.where(
            valid, segment_ids + shift[:, None], 0
        )  # (batch, tokens) - padding goes to 0
        offsets = torch.arange(self.batch, device=segment_ids.device)[:, None] * self.rows
        waste = self.batch * self.rows  # one row more, where padding is thrown
        self.flat = torch.where(valid, self.slots + offsets, waste).reshape(-1)

    @cached_property
    def sizes(self) -> Tensor:
        """(batch, rows) - tokens in each row; 0 where there is none."""
        return self.sums(torch.ones_like(self.flat)[:, None])[..., 0]

    @property
    def mask(self) -> Tensor:
        """(batch, rows) - 1 for rows, 0 for padding, as ``attention_mask``."""
        return (self.sizes > 0).long()

    @property
    def has_padding(self) -> bool:
        """Whether any text has fewer rows than the longest."""
        return bool((self.n_units < self.rows).any())

    def sums(self, values: Tensor) -> Tensor:
        """Adds up (batch * tokens, d) within rows: (batch, rows, d)."""
        width = values.shape[-1]
        total = values.new_zeros(self.batch * self.rows + 1, width).index_add(0, self.flat, values)
        return total[:-1].view(self.batch, self.rows, width)

    @cached_property
    def firsts(self) -> Tensor:
        """(batch, rows) - the first token of each row; the last token of the text for padding."""
        at = torch.arange(self.tokens, device=self.flat.device).expand(self.batch, -1)
        start = at.new_full((self.batch * self.rows + 1,), self.tokens - 1)
        found = start.scatter_reduce(0, self.flat, at.reshape(-1), "amin")
        return found[:-1].view(self.batch, self.rows)

    def first(self, values: Tensor) -> Tensor:
        """Takes (batch, tokens, ...) at the first token of each row: (batch, rows, ...)."""
        index = self.firsts.view(*self.firsts.shape, *([1] * (values.ndim - 2)))
        return values.gather(1, index.expand(-1, -1, *values.shape[2:]))

    def unmerge(self, values: Tensor) -> Tensor:
        """Gives every token what its row holds: (batch, rows, d) to (batch, tokens, d)."""
        return values.gather(1, self.slots[..., None].expand(-1, -1, values.shape[-1]))

    def positions(self, policy: str) -> Tensor:
        """(batch, rows) - positions by ``compact``, ``first`` or ``mean`` (fractions), from 0."""
        if policy == "compact":
            return (self.mask.cumsum(1) - 1).clamp(min=0)
        before = (self.valid.cumsum(1) - 1).clamp(min=0)  # tokens of the text before each
        if policy == "first":
            return self.first(before) * self.mask
        sums = self.sums(before.reshape(-1, 1).float())[..., 0]
        return sums / self.sizes.clamp(min=1)

    def any_pair(self, allowed: Tensor) -> Tensor:
        """Lets rows see each other where any tokens do: (batch, 1, tokens, tokens) to (..., rows, rows)."""
        queries = self.sums(allowed[:, 0].reshape(-1, self.tokens).float())  # (batch, rows, tokens)
        turned = queries.transpose(1, 2).reshape(-1, self.rows)
        return (self.sums(turned).transpose(1, 2) > 0)[:, None]


def _counts_up(segment_ids: Tensor, valid: Tensor) -> Tensor:
    steps = segment_ids.diff(dim=1)
    both = valid[:, 1:] & valid[:, :-1]
    begins = valid & (valid.cumsum(1) == 1)
    # Padding may stand at either end, never within a text.
    turns = valid.long().diff(dim=1).abs().sum(1) + valid[:, 0] + valid[:, -1]
    return (
        (~both | (steps == 0) | (steps == 1)).all()
        & (~begins | (segment_ids == 0)).all()
        & (turns == 2).all()
    )
