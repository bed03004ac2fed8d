"""The losses of healing, each the mean over a batch of windows.

``next-token``: cross-entropy, in nats a token. ``hidden``: squared distance of the last hidden states, per
squared norm of the teacher's, at every byte where both tokenizers end a token, plus the cross-entropy
scaled to the same size, without which tied rows grow (token distillation with its automatic weight,
2505.20133). ``chunks``: binary cross-entropy between the p^(1/100) of both models for the text between two
shared ends (approximate likelihood matching, 2503.20083).
Source: the papers' formulas; no code of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokforge.transplant.heal.text import shared_ends, token_ends
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Runner", "Teacher", "bits_of", "loss_of"]

_ROOT, _EPSILON = 100.0, 1e-6


@dataclass(frozen=True, eq=False)
class Runner:
    """A model, its vocabulary, and the id before a text."""

    model: Any
    vocabulary: Vocabulary
    prefix: int

    def inputs(self, texts: Sequence[str]) -> tuple[Any, Any, list[list[int]]]:
        """Returns ids with the prefix, (windows, longest + 1), their mask, and the ids without either."""
        import torch

        ids = [self.vocabulary.encode(text) for text in texts]
        longest = max(map(len, ids))
        padded = [[self.prefix, *one, *[self.prefix] * (longest - len(one))] for one in ids]
        mask = [[1] * (1 + len(one)) + [0] * (longest - len(one)) for one in ids]
        device = self.model.device
        return torch.tensor(padded, device=device), torch.tensor(mask, device=device), ids

    def run(self, texts: Sequence[str], hidden: bool = False) -> tuple[Any, Any, list[list[int]]]:
        """Returns the tokens' log-probabilities, (windows, longest), last hidden states or None, and ids."""
        import torch

        inputs, mask, ids = self.inputs(texts)
        found = self.model(input_ids=inputs, attention_mask=mask, output_hidden_states=hidden)
        scores = torch.nn.functional.cross_entropy(
            found.logits[:, :-1].float().transpose(1, 2), inputs[:, 1:], reduction="none"
        )
        return -scores, found.hidden_states[-1][:, 1:].float() if hidden else None, ids


@dataclass(frozen=True, eq=False)
class Teacher(Runner):
    """The original model."""


def loss_of(kind: str, student: Runner, teacher: Teacher | None, texts: Sequence[str]) -> tuple[Any, int]:
    """Returns the loss of a batch, ready for backward, and its tokens."""
    import torch

    own, states, ids = student.run(texts, kind == "hidden")
    tokens = sum(map(len, ids))
    plain = -torch.stack([own[n, : len(one)].sum() for n, one in enumerate(ids)]).sum() / max(tokens, 1)
    if teacher is None:
        return plain, tokens
    with torch.no_grad():
        theirs, goals, other = teacher.run(texts, kind == "hidden")
    parts = []
    for n, text in enumerate(texts):
        here = token_ends(student.vocabulary, ids[n], text)
        there = token_ends(teacher.vocabulary, other[n], text)
        if here is None or there is None:
            continue  # a byte that one vocabulary lacks: nothing to align
        mine, yours = (torch.from_numpy(at).to(own.device) for at in shared_ends(here, there))
        if kind == "hidden":
            parts.append(_distance(states[n, mine], goals[n, yours]))
        else:
            parts.append(_chunks(own[n], mine, theirs[n], yours))
    if not parts:
        return plain, tokens
    matched = torch.stack(parts).mean()
    if kind == "hidden":
        matched = matched + plain * (matched / plain).detach()
    return matched, tokens


def _distance(own: Any, goal: Any) -> Any:
    return ((own - goal) ** 2).sum(-1).mean() / (goal**2).sum(-1).mean()


def _chunks(own: Any, own_ends: Any, other: Any, other_ends: Any) -> Any:
    import torch

    student, teacher = _between(own, own_ends), _between(other, other_ends)
    low = torch.clamp(student / _ROOT, max=-_EPSILON)
    goal = torch.exp(teacher / _ROOT)
    return -(goal * low + (1 - goal) * torch.log(-torch.expm1(low))).mean()


def _between(scores: Any, ends: Any) -> Any:
    """Returns the summed log-probability of the tokens up to each end, from the end before."""
    import torch

    sums = torch.cumsum(scores.double(), 0)[ends]
    return torch.diff(sums, prepend=sums.new_zeros(1)).float()


def bits_of(runner: Runner, texts: Sequence[str]) -> float:
    """Returns bits per byte of windows, one at a time."""
    bits = 0.0
    for text in texts:
        scores, _, ids = runner.run([text])
        bits -= float(scores[0, : len(ids[0])].double().sum()) / np.log(2)
    return bits / sum(len(text.encode()) for text in texts)
