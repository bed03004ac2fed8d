"""Stage 2: the model's own loss with predicted rows in place of its own, everything else frozen.

loss = cross-entropy + ``lexical`` x distance to known rows (where those are predicted, too) + ``distill`` x
distance of the last hidden states under the new tokens from those under the old, at places where tokens of
both end, as a part of the latter's variance. The first two are ZeTT's (arXiv 2405.07883); the third is token
distillation's target (arXiv 2505.20133), for every token at once. A masked model predicts 15% of the tokens
instead of the next.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from tokforge.transplant.hypernet.batches import Pass
from tokforge.transplant.hypernet.network import Hypernet, Rows

__all__ = ["Losses", "language_losses"]

_MASKED = 0.15


@dataclass(frozen=True)
class Losses:
    """The parts of one pass' loss, and what they are counted over."""

    language: Tensor
    """Nats a token."""
    lexical: Tensor
    distill: Tensor
    tokens: int
    bits_per_byte: float
    """What ``language`` comes to; an estimate, since negatives stand for the vocabulary."""


def language_losses(
    net: Hypernet,
    rows: Rows,
    model: Any,
    one: Pass,
    *,
    mask_id: int | None,
    autocast: Any,
    distill: bool = True,
) -> Losses:
    """Runs one pass. ``mask_id``: the old id of a masked model's mask token, None for a causal model."""
    device = rows.table.device
    known, predicted = _on(device, one.known), _on(device, one.predicted)
    with autocast():
        made = net(rows, _on(device, one.cuts.ids), _on(device, one.cuts.weights))
    true = dict(
        zip(rows.sides, rows.table[known.clamp(min=0)].split(list(rows.sides.values()), 1), strict=True)
    )
    own = {side: true[side].index_copy(0, predicted, made[side]) for side in made}
    inputs = _on(device, one.inputs)
    hidden, logits = _forward(model, own, inputs if mask_id is None else _masked(inputs, own, rows, mask_id))
    targets = inputs[:, 1:] if mask_id is None else torch.where(_chosen(inputs), inputs, -1)
    logits = logits[:, :-1] if mask_id is None else logits
    logits = (logits.float() + _on(device, one.log_weight)).flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(logits, targets.flatten(), ignore_index=-1)
    count = int((targets >= 0).sum())
    return Losses(
        language=loss,
        lexical=_lexical(made, true, predicted, known),
        distill=_distance(model, hidden, one, device) if distill and len(one.ends) else loss.new_zeros(()),
        tokens=count,
        bits_per_byte=float(loss.detach())
        / math.log(2)
        * int((inputs[:, 1:] >= 0).sum())
        / max(one.bytes, 1),
    )


def _on(device: Any, array: Any) -> Tensor:
    return torch.from_numpy(array).to(device)


def _forward(model: Any, own: dict[str, Tensor], inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Runs the model with local rows in place of its own; returns the last hidden states and the logits."""
    dtype = model.get_input_embeddings().weight.dtype
    swapped = {}
    names = {id(value): name for name, value in model.named_parameters()}
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    swapped[names[id(embedding.weight)]] = own.get("tied", own.get("input")).to(dtype)  # type: ignore[union-attr]
    if "output" in own:
        swapped[names[id(head.weight)]] = own["output"].to(dtype)
    if "bias" in own:
        swapped[names[id(head.bias)]] = own["bias"][:, 0].to(dtype)
    given = {"input_ids": inputs.clamp(min=0), "attention_mask": (inputs >= 0).long()}
    found = functional_call(model, swapped, (), {**given, "output_hidden_states": True, **_no_cache(model)})
    return found.hidden_states[-1], found.logits


def _no_cache(model: Any) -> dict[str, bool]:
    return {"use_cache": False} if hasattr(model.config, "use_cache") else {}


def _chosen(inputs: Tensor) -> Tensor:
    """The tokens of a masked model that are predicted: drawn by place, so that a step is repeatable."""
    rng = np.random.default_rng([inputs.shape[0], inputs.shape[1], int(inputs.sum())])
    drawn = torch.from_numpy(rng.random(tuple(inputs.shape)) < _MASKED).to(inputs.device)
    return drawn & (inputs > 0)


def _masked(inputs: Tensor, own: dict[str, Tensor], rows: Rows, mask_id: int) -> Tensor:
    """Puts the mask, as one more local row, in place of the chosen tokens."""
    ends = rows.table[mask_id].split(list(rows.sides.values()))
    place = len(next(iter(own.values())))
    for side, row in zip(rows.sides, ends, strict=True):
        own[side] = torch.cat([own[side], row[None]])
    return torch.where(_chosen(inputs), place, inputs)


def _lexical(made: dict[str, Tensor], true: dict[str, Tensor], predicted: Tensor, known: Tensor) -> Tensor:
    """Returns the squared distance of predicted known rows from the true ones, by the latter's mean norm."""
    shared = known[predicted] >= 0
    parts = []
    for side in made:
        apart = ((made[side] - true[side][predicted]) ** 2).sum(1)[shared]
        parts.append(apart.mean() / true[side].norm(dim=1).mean() if len(apart) else apart.sum())
    return torch.stack(parts).mean()


def _distance(model: Any, hidden: Tensor, one: Pass, device: Any) -> Tensor:
    old = _on(device, one.old)
    with torch.no_grad():
        found = model(
            input_ids=old.clamp(min=0), attention_mask=(old >= 0).long(), output_hidden_states=True,
            logits_to_keep=1, **_no_cache(model),
        )  # fmt: skip
    line, here, there = _on(device, one.ends).unbind(1)
    target = found.hidden_states[-1][line, there].float()
    apart = ((hidden[line, here].float() - target) ** 2).mean()
    return apart / target.var(0).mean().clamp(min=1e-8)
