"""A causal model and its tokenizer: what it needs to spell a text, token by token.

Every token is predicted, the first from one prefix token (the model's ``bos``, else ``eos``), so that no byte
is free. Special tokens in the text are text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import read_json
from tokforge.transplant.models import load_model
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Causal", "Progress", "Spelled", "prefix_id"]

Floats = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], object]
_TOKENS = 2048
"""Most tokens in a batch: the logits take as many rows of the vocabulary."""


@dataclass(frozen=True, eq=False)
class Spelled:
    """A text's tokens under a model."""

    ids: list[int]
    bits: Floats
    """Minus log2 of the probability of each."""
    first: npt.NDArray[np.bool_]
    """Whether no other token was more probable."""


@dataclass(frozen=True, eq=False)
class Causal:
    """A model that predicts the next token, loaded."""

    model: Any
    vocabulary: Vocabulary
    prefix: int

    @classmethod
    def open(cls, folder: str | Path, *, device: str = "cpu", dtype: str = "float32") -> "Causal":
        """Loads a folder. Raises ConfigError for a model that is not causal or has no token to begin with."""
        model, vocabulary = load_model(folder, device=device, dtype=dtype), Vocabulary.load(folder)
        if "CausalLM" not in type(model).__name__ and "LMHead" not in type(model).__name__:
            raise ConfigError(
                f"{type(model).__name__} is no causal model", "bits per byte need one", str(folder)
            )
        return cls(model, vocabulary, prefix_id(folder))

    def spell(
        self,
        texts: Sequence[str],
        *,
        progress: Progress = lambda phase, done, total: None,
    ) -> list[Spelled]:
        """Returns what each text takes, in order, in batches of texts of like length."""
        import torch

        ids = [self.vocabulary.encode(text) for text in texts]
        found: dict[int, Spelled] = {}
        with torch.inference_mode():
            for batch in _batches(ids):
                for n, spelled in zip(batch, self._batch([ids[n] for n in batch]), strict=True):
                    found[n] = spelled
                progress("evaluate", len(found), len(texts))
        return [found[n] for n in range(len(texts))]

    def _batch(self, batch: Sequence[list[int]]) -> list[Spelled]:
        """Shorter texts are padded on the right, which is not attended."""
        import torch

        longest, device = max(map(len, batch)), self.model.device
        padded = [[self.prefix, *ids, *[self.prefix] * (longest - len(ids))] for ids in batch]
        mask = [[1] * (1 + len(ids)) + [0] * (longest - len(ids)) for ids in batch]
        inputs = torch.tensor(padded, device=device)
        logits = self.model(input_ids=inputs, attention_mask=torch.tensor(mask, device=device)).logits
        found = []
        for row, ids in enumerate(batch):
            scores = torch.log_softmax(logits[row, : len(ids)].float(), -1)
            chosen = scores.gather(1, inputs[row, 1 : 1 + len(ids), None])[:, 0]
            first = (chosen == scores.amax(1)).cpu().numpy() if ids else np.zeros(0, bool)
            found.append(Spelled(ids, -chosen.double().cpu().numpy() / np.log(2), first))
        return found


def prefix_id(folder: str | Path) -> int:
    """Returns the id that stands before a text: the model's bos, else its eos."""
    config = read_json(Path(folder) / "config.json")
    for name in ("bos_token_id", "eos_token_id"):
        value = config.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, int):
            return value
    raise ConfigError("config.json names no bos and no eos token", "add bos_token_id", str(folder))


def _batches(ids: Sequence[Sequence[int]]) -> list[list[int]]:
    batches: list[list[int]] = []
    for n in sorted(range(len(ids)), key=lambda n: len(ids[n])):
        if not batches or (len(batches[-1]) + 1) * (len(ids[n]) + 1) > _TOKENS:
            batches.append([])
        batches[-1].append(n)
    return batches


def _surprises(model: Any, batch: Sequence[Sequence[int]], prefix: int) -> list[Floats]:
    """Returns -log2 p of each token of each sequence; shorter ones are padded on the right, which is not
    attended.
    """
    import torch

    longest = max(map(len, batch))
    inputs = torch.tensor(
        [[prefix, *ids, *[prefix] * (longest - len(ids))] for ids in batch], device=model.device
    )
    mask = torch.tensor(
        [[1] * (1 + len(ids)) + [0] * (longest - len(ids)) for ids in batch], device=model.device
    )
    logits = model(input_ids=inputs, attention_mask=mask).logits
    found = []
    for row, ids in enumerate(batch):
        scores = torch.log_softmax(logits[row, : len(ids)].float(), -1)
        chosen = scores.gather(1, inputs[row, 1 : 1 + len(ids), None])[:, 0]
        found.append(-chosen.double().cpu().numpy() / np.log(2))
    return found
