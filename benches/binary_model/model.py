"""The small transformer of both tasks, and what a step of it costs.

Pre-norm, learned positions, GELU, no bias. Operations are counted as usual: 6 for each weight of a matrix and
position (forward 2, backward 4), and 12 x positions x width for each layer's attention; a table look-up
costs none, the output layer over the vocabulary does.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

POSITIONS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Size of a model; a causal one predicts the next id, the other one classes."""

    width: int
    layers: int
    heads: int
    causal: bool

    def step_flops(self, positions: int, outputs: int) -> float:
        """Returns the operations of training on one position, with ``outputs`` rows in the output layer."""
        layer = 6 * 12 * self.width**2 + 12 * positions * self.width
        return self.layers * layer + 6 * self.width * outputs


LANGUAGE = Shape(width=128, layers=4, heads=4, causal=True)
CLASSIFIER = Shape(width=96, layers=2, heads=4, causal=False)


class Layer(nn.Module):
    """Attention, then a network of four times the width."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads, self.causal = shape.heads, shape.causal
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        count, positions, width = x.shape
        parts = self.mix(self.before(x)).view(count, positions, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(*parts, attn_mask=mask, is_causal=self.causal)
        x = x + self.out(mixed.transpose(1, 2).reshape(count, positions, width))
        return x + self.down(gelu(self.up(self.between(x))))


class Trunk(nn.Module):
    """Ids (count, positions), padded with -1 at the end, to states (count, positions, width)."""

    def __init__(self, shape: Shape, vocab_size: int) -> None:
        super().__init__()
        self.shape = shape
        self.ids = nn.Embedding(vocab_size + 1, shape.width)
        """The last row is the beginning of a window."""
        self.positions = nn.Embedding(POSITIONS, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        for one in self.parameters():
            if one.dim() > 1:
                nn.init.normal_(one, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        known = ids >= 0
        x = self.ids(ids.clamp(min=0)) + self.positions.weight[: ids.shape[1]]
        # Padding stands at the end, where a causal model never looks.
        mask = None if self.shape.causal else known[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


class LanguageModel(nn.Module):
    """Predicts each id from those before it in the window; the output layer is the embedding."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.trunk = Trunk(LANGUAGE, vocab_size)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the logits of the positions that hold an id, and these ids."""
        begin = torch.full_like(ids[:, :1], self.vocab_size)
        states = self.trunk(torch.cat([begin, ids[:, :-1].clamp(min=0)], 1))
        known = ids >= 0
        return states[known] @ self.trunk.ids.weight[: self.vocab_size].t(), ids[known]


class Classifier(nn.Module):
    """Architecture and toolchain of a window, from the mean of its states."""

    def __init__(self, vocab_size: int, classes: tuple[int, int]) -> None:
        super().__init__()
        self.trunk = Trunk(CLASSIFIER, vocab_size)
        self.heads = nn.ModuleList(nn.Linear(CLASSIFIER.width, count) for count in classes)

    def forward(self, ids: Tensor) -> list[Tensor]:
        known = (ids >= 0)[:, :, None]
        states = (self.trunk(ids) * known).sum(1) / known.sum(1)
        return [head(states) for head in self.heads]
