"""One forward pass with merging: what the layers behind the merger are given instead of their arguments.

The models of transformers build masks, rotary angles and relative biases once, for all tokens, and hand them
to every layer. Behind the merger there are fewer rows, so each layer is given those of the rows instead.
This happens when the layer is called, outside of its gradient checkpoint, so nothing has to be known again
when the checkpoint is computed a second time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from tokforge.merging.config import MergeConfig
from tokforge.merging.models.packing import Packing

__all__ = ["MergedPass", "active_pass", "entering"]

_ACTIVE: ContextVar["MergedPass | None"] = ContextVar("merged_pass", default=None)


def active_pass() -> "MergedPass | None":
    """Returns the pass under way in this thread, if any."""
    return _ACTIVE.get()


@contextmanager
def entering(merged: "MergedPass | None") -> Iterator[None]:
    """Makes ``merged`` the active pass of this thread; None suspends merging."""
    token = _ACTIVE.set(merged)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


class MergedPass:
    """The plan of one batch, its reducer, and its rows' masks and positions, made when first asked for."""

    def __init__(
        self,
        config: MergeConfig,
        packing: Packing,
        reducer: Callable[[Tensor, Packing], Tensor],
        *,
        restore: bool,
        token_mask: Tensor | None = None,
    ) -> None:
        self.config, self.packing, self.reducer, self.restore = config, packing, reducer, restore
        self.token_mask = token_mask if token_mask is not None and token_mask.ndim == 4 else None
        self.merged = False
        self.stack: Any = None  # which runs the layers; set when it is entered
        self._made: dict[Any, Any] = {}

    def reduce(self, hidden: Tensor) -> Tensor:
        """Merges (batch, tokens, dim) to (batch, rows, dim), once in a pass."""
        self.merged = True
        return self.reducer(hidden, self.packing)

    def positions(self) -> Tensor:
        """(batch, rows) - by the policy of the model."""
        return self.once("positions", lambda: self.packing.positions(self.config.positions))

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Returns what ``make`` made the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def mask(self, like: Tensor, *, causal: bool = False, window: int | None = None) -> Tensor | None:
        """Returns the additive mask of the rows, (batch, 1, 1 or rows, rows), or None if all see all."""
        return self.once(("mask", causal, window), lambda: self._mask(like, causal, window))

    def _mask(self, like: Tensor, causal: bool, window: int | None) -> Tensor | None:
        proportional = self.config.mask == "proportional"
        plain = not (causal or window is not None or proportional or self.token_mask is not None)
        if plain and not self.packing.has_padding:
            return None  # the kernels are faster without
        sizes = self.packing.sizes
        allowed = (sizes > 0)[:, None, None, :]
        if causal:
            allowed = allowed & torch.ones(len(sizes[0]), len(sizes[0]), device=like.device).tril().bool()
        if window is not None:
            at = self.positions()
            allowed = allowed & ((at[:, None, :] - at[:, :, None]).abs() <= window)[:, None]
        if self.token_mask is not None:
            allowed = allowed & self.packing.any_pair(_sees(self.token_mask))
        scores = sizes.clamp(min=1).log() if proportional else torch.zeros_like(sizes, dtype=torch.float32)
        lowest = torch.finfo(like.dtype).min
        return torch.where(allowed, scores[:, None, None, :], lowest).to(like.dtype)

    def rotary(self, rotary: nn.Module, hidden: Tensor, *names: str) -> Any:
        """Returns the rotary angles of the rows."""
        return self.once(("rotary", *names), lambda: rotary(hidden, self.positions(), *names))


def _sees(mask: Tensor) -> Tensor:
    """Reads a 4-D mask of transformers: booleans say who sees whom, numbers are added to the scores."""
    return mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
