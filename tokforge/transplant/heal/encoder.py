"""Heals a sentence encoder: its rows learn to give each text the vector that the original gives it.

Loss: one minus the cosine. Invariant: as `loop`, the best rows on held-out texts are kept, those that came
in if none are better; all other weights keep their bytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.evaluate.encoder import pooled
from tokforge.transplant.heal.trained import Trained, TrainedTensor, choose
from tokforge.transplant.models import load_model
from tokforge.transplant.settings import Settings
from tokforge.transplant.surgery import check_folder, staged_folder, write_model
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["heal_encoder"]

_HELD_OUT, _VALIDATE = 64, 25


def heal_encoder(
    model: str | Path,
    teacher: str | Path,
    texts: Sequence[str],
    output: str | Path,
    *,
    steps: int = 500,
    batch: int = 16,
    learning_rate: float = 1e-3,
    seed: int = 0,
    force: bool = False,
) -> dict[str, float]:
    """Trains the rows of the encoder in ``model`` and writes it to ``output``.

    Returns the mean cosine to the teacher on held-out texts ``before`` and ``after``, and the ``best_step``.
    Raises ConfigError with fewer than 2 texts, OutputError for ``output``.
    """
    import torch

    if len(texts) < 2:
        raise ConfigError("one text", "give two or more: some are held out")
    check_folder(Path(output), Path(model), force=force)
    checkpoint, vocabulary = Checkpoint.open(model), Vocabulary.load(model)
    student, original = load_model(model), load_model(teacher)
    trained = choose(student, checkpoint, "rows", 1, frozenset())
    count = min(_HELD_OUT, max(1, len(texts) // 10))
    with torch.no_grad():
        goals = _vectors(original, Vocabulary.load(teacher), texts)
    rng, optimizer = np.random.default_rng(seed), torch.optim.AdamW(
        trained.parameters.values(), lr=learning_rate, weight_decay=0
    )  # fmt: skip
    before = best_cosine = _cosine(student, vocabulary, texts[:count], goals[:count])
    best, best_step = None, 0
    for step in range(1, steps + 1):
        at = count + rng.integers(len(texts) - count, size=batch)
        own = pooled(student, vocabulary, [texts[n] for n in at])
        optimizer.zero_grad(set_to_none=True)
        (1 - (own * goals[at]).sum(1)).mean().backward()
        optimizer.step()
        if step % _VALIDATE == 0 or step == steps:
            cosine = _cosine(student, vocabulary, texts[:count], goals[:count])
            if cosine > best_cosine:
                best, best_cosine, best_step = trained.snapshot(), cosine, step
    with staged_folder(Path(output)) as (staged, _):
        tensors = _tensors(trained, best, checkpoint)
        write_model(checkpoint, tensors, Settings({}, "old", (), frozenset()), staged)
    return {"before": before, "after": best_cosine, "best_step": best_step}


def _tensors(trained: Trained, best: Any, checkpoint: Checkpoint) -> dict[str, TrainedTensor]:
    if best is None:
        return {}
    trained.restore(best)
    return trained.written(checkpoint)


def _vectors(model: Any, vocabulary: Vocabulary, texts: Sequence[str]) -> Any:
    import torch

    return torch.cat([pooled(model, vocabulary, texts[n : n + 32]) for n in range(0, len(texts), 32)])


def _cosine(model: Any, vocabulary: Vocabulary, texts: Sequence[str], goals: Any) -> float:
    import torch

    with torch.no_grad():
        return float((_vectors(model, vocabulary, texts) * goals).sum(1).mean())
