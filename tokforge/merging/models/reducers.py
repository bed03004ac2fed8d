"""How the rows of a unit become one.

Invariant: a unit of one token is left exactly as it is, whatever was learned; the learned reducers equal the
mean when they are made (a zero score vector, a zero last layer).
Sources: subword pooling, arXiv 2102.10864 (attention, first, mean); K-Token merging (mean + MLP).
"""

import torch
from torch import Tensor, nn

from tokforge.errors import pick
from tokforge.merging.models.packing import Packing

__all__ = ["AttentionReducer", "FirstReducer", "MeanMlpReducer", "MeanReducer", "make_reducer"]


class MeanReducer(nn.Module):
    """The mean of a unit's rows, added up in at least float32."""

    def forward(self, hidden: Tensor, packing: Packing) -> Tensor:
        """(batch, tokens, dim) to (batch, rows, dim)."""
        wide = hidden.flatten(0, 1).to(torch.promote_types(hidden.dtype, torch.float32))
        mean = packing.sums(wide) / packing.sizes.clamp(min=1)[..., None]
        return mean.to(hidden.dtype)


class FirstReducer(nn.Module):
    """The first row of a unit."""

    def forward(self, hidden: Tensor, packing: Packing) -> Tensor:
        """(batch, tokens, dim) to (batch, rows, dim); zero at padding."""
        return packing.first(hidden) * packing.mask[..., None].to(hidden.dtype)


class AttentionReducer(nn.Module):
    """A weighted mean: the softmax, within the unit, of one learned score."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.zeros(dim))

    def forward(self, hidden: Tensor, packing: Packing) -> Tensor:
        """(batch, tokens, dim) to (batch, rows, dim)."""
        wide = hidden.flatten(0, 1).to(torch.promote_types(hidden.dtype, torch.float32))
        scores = wide @ self.score.to(wide.dtype)
        lowest = scores.detach().new_full((packing.batch * packing.rows + 1,), float("-inf"))
        highest = lowest.scatter_reduce(0, packing.flat, scores.detach(), "amax")
        weights = (scores - highest[packing.flat]).exp()[:, None]
        total = packing.sums(weights)
        merged = packing.sums(weights * wide) / total.clamp(min=1e-20)
        return merged.to(hidden.dtype)


class MeanMlpReducer(nn.Module):
    """The mean, plus what a small network says about the unit's mean, first and last row."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mean = MeanReducer()
        self.inner = nn.Linear(3 * dim, dim // 2)
        self.outer = nn.Linear(dim // 2, dim)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, hidden: Tensor, packing: Packing) -> Tensor:
        """(batch, tokens, dim) to (batch, rows, dim); only units of several tokens pay for the network."""
        mean = self.mean(hidden, packing)
        several = packing.sizes > 1
        first = packing.firsts
        last = (first + packing.sizes - 1)[..., None].expand_as(mean)
        rows = torch.cat([mean, packing.first(hidden), hidden.gather(1, last)], -1)[several]
        change = self.outer(torch.relu(self.inner(rows)))
        return mean.masked_scatter(several[..., None], mean[several] + change.to(mean.dtype))


def make_reducer(name: str, dim: int) -> nn.Module:
    """Returns a new reducer for rows of ``dim`` numbers; raises UnknownNameError for another name."""
    made: nn.Module = pick(
        "reducer",
        name,
        {
            "mean": lambda: MeanReducer(),
            "first": lambda: FirstReducer(),
            "attention": lambda: AttentionReducer(dim),
            "mean+mlp": lambda: MeanMlpReducer(dim),
        },
    )()
    return made
