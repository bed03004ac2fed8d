"""A small encoder, plain torch: pre-norm blocks, learned positions, tied output, bf16.

Attention is written out: at 128 tokens torch's flash kernel, mostly its backward, takes twice as long (CPU).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

IGNORED = -100


class Block(nn.Module):  # type: ignore[misc]
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        batch, length, width = hidden.shape
        parts = self.queries_keys_values(self.before_attention(hidden)).chunk(3, dim=-1)
        queries, keys, values = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(2, 3)
        scores = scores.masked_fill(~seen[:, None, None, :], -math.inf)
        mixed = torch.softmax(scores, dim=-1).to(values.dtype) @ values
        hidden = hidden + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return hidden + self.down(functional.gelu(self.up(self.before_mlp(hidden))))


class Encoder(nn.Module):  # type: ignore[misc]
    """Ids to hidden states; the embedding doubles as the output layer."""

    def __init__(
        self, vocab_size: int, width: int = 192, layers: int = 4, heads: int = 4, length: int = 128
    ) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocab_size, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.last = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.classes = nn.Linear(width, 2)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        for block in self.blocks:
            nn.init.normal_(block.down.weight, std=0.02 / math.sqrt(2 * layers))
            nn.init.normal_(block.out.weight, std=0.02 / math.sqrt(2 * layers))

    def forward(self, ids: Tensor, seen: Tensor) -> Tensor:
        hidden = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        for block in self.blocks:
            hidden = block(hidden, seen)
        return self.last(hidden)

    def losses(self, ids: Tensor, labels: Tensor, seen: Tensor) -> Tensor:
        """Returns the loss of each token that is to be predicted; the others cost no logits."""
        at = labels != IGNORED
        with torch.autocast("cpu", torch.bfloat16):
            logits = self(ids, seen)[at] @ self.tokens.weight.T + self.bias
        return functional.cross_entropy(logits.float(), labels[at], reduction="none")

    def classify(self, ids: Tensor, seen: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self(ids, seen)
            mean = (hidden * seen[..., None]).sum(1) / seen.sum(1, keepdim=True)
            logits: Tensor = self.classes(mean)
        return logits.float()
