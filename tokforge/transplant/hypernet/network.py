"""The hypernetwork: pieces of a token -> transformer -> its rows. After ZeTT (arXiv 2405.07883).

A summary vector stands before the pieces' rows, standardised by column; what the transformer makes of it is
mapped to the input row, the output row and the bias by one head each. ``residual``: row = base + std *
head(h), where the base sums the pieces' rows by length and the heads begin as zeros, so the network begins
as the heuristic, and a token of one piece keeps that piece's row. ``paper``: row = shift + scale * head(h),
where scale and shift are set once so that rows begin with the true mean and deviation.
Invariant: a token's rows depend on its pieces alone, not on what else is in the batch.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tokforge.transplant.hypernet.config import NetConfig

__all__ = ["Hypernet", "Rows", "Sides"]

Sides = Mapping[str, int]
"""What is predicted -> its width: ``tied``, or ``input`` and ``output``; and perhaps ``bias`` (1)."""
_LONGEST = (2, 3, 4, 6, 8, 12)
"""Tokens of up to so many pieces are computed together: most have few, and padding costs as pieces do."""


class Rows(nn.Module):
    """The model's own rows, frozen: what pieces are looked up in, extended by one row for each byte.

    Not stored with the network: they are the model's, or a fine-tune's.
    """

    def __init__(self, matrices: Mapping[str, Tensor], kin: Mapping[str, Tensor]) -> None:
        """``matrices``: side -> (rows, width); ``kin``: side -> (256, width), what stands in for a byte."""
        super().__init__()
        self.sides: Sides = {side: matrix.shape[1] for side, matrix in matrices.items()}
        self.count = next(iter(matrices.values())).shape[0]
        joined = [torch.cat([matrix, kin[side]]) for side, matrix in matrices.items()]
        self.register_buffer("table", torch.cat(joined, 1).float(), persistent=False)
        mine = self.table[: self.count]
        self.register_buffer("mean", mine.mean(0), persistent=False)
        self.register_buffer("deviation", mine.std(0).clamp(min=1e-8), persistent=False)

    table: Tensor
    mean: Tensor
    deviation: Tensor


class Hypernet(nn.Module):
    """Predicts rows from pieces."""

    def __init__(self, config: NetConfig, sides: Sides) -> None:
        super().__init__()
        self.config, self.sides = config, dict(sides)
        total = sum(sides.values())
        self.bytes = nn.Embedding(256, total)
        self.read = nn.Linear(total, config.width)
        self.weigh = nn.Linear(1, config.width)
        self.place = nn.Embedding(config.max_pieces, config.width)
        self.summary = nn.Parameter(torch.zeros(config.width))
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.feedforward, dropout=0.0, activation="gelu", batch_first=True,
            norm_first=config.form == "residual",
        )  # fmt: skip
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.width)
        self.heads = nn.ModuleDict({side: nn.Linear(config.width, width) for side, width in sides.items()})
        self.register_buffer("scale", torch.ones(total))
        self.register_buffer("shift", torch.zeros(total))
        self._initialise()

    scale: Tensor
    shift: Tensor

    def _initialise(self) -> None:
        for table in (self.bytes, self.place):
            nn.init.normal_(table.weight, std=0.02)
        nn.init.normal_(self.summary, std=0.02)
        if self.config.form == "residual":
            for head in self.heads.values():
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)

    def forward(self, rows: Rows, ids: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Returns side -> (tokens, width) float32 rows.

        Args:
            rows: the model's own rows.
            ids: (tokens, longest) int64 - pieces as `Cuts` has them.
            weights: (tokens, longest) float32.
        """
        made = weights.new_zeros(len(ids), self.scale.numel())
        counts = (ids >= 0).sum(1)
        for least, most in zip((0, *_LONGEST), (*_LONGEST, ids.shape[1]), strict=True):
            chosen = torch.nonzero((counts > least) & (counts <= most))[:, 0]
            if len(chosen):
                found = self._rows(rows, ids[chosen, :most], weights[chosen, :most])
                made = made.index_copy(0, chosen, found)
        return dict(zip(self.sides, made.split(list(self.sides.values()), 1), strict=True))

    def _rows(self, rows: Rows, ids: Tensor, weights: Tensor) -> Tensor:
        pieces = rows.table[ids.clamp(min=0)]
        hidden = self._hidden(rows, pieces, ids, weights)
        made = torch.cat([head(hidden) for head in self.heads.values()], 1)
        made = made.float() * self.scale + self.shift
        if self.config.form == "paper":
            return made
        several = ((ids >= 0).sum(1, keepdim=True) > 1).float()
        base = torch.einsum("tp,tpd->td", weights, pieces)
        return base + several * (made - (1 - self.config.shrink) * (base - rows.mean))

    def _hidden(self, rows: Rows, pieces: Tensor, ids: Tensor, weights: Tensor) -> Tensor:
        most = self.config.max_pieces
        ids, pieces, weights = ids[:, :most], pieces[:, :most], weights[:, :most]
        seen = (pieces - rows.mean) / rows.deviation
        unknown = ids >= rows.count
        seen = torch.where(unknown[..., None], self.bytes((ids - rows.count).clamp(min=0)), seen)
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.read(seen) + self.weigh(weights[..., None]) + self.place(places)
        first = self.summary.expand(len(ids), 1, -1).to(hidden.dtype)
        padding = torch.nn.functional.pad(ids < 0, (1, 0))
        return self.norm(self.encoder(torch.cat([first, hidden], 1), src_key_padding_mask=padding)[:, 0])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def calibrate(self, rows: Rows, ids: Tensor, weights: Tensor) -> None:
        """Sets scale and shift from the model's rows, once, before training."""
        self.scale.copy_(rows.deviation)
        self.shift.zero_()
        if self.config.form == "paper":
            found = torch.cat(list(self(rows, ids, weights).values()), 1) / self.scale
            self.scale.copy_(rows.deviation / found.std(0).clamp(min=1e-6))
            self.shift.copy_(rows.mean - (found * self.scale).mean(0))
