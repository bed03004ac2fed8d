"""The model that a hypernetwork serves: its rows as the network reads them, and what tells it from others."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tokforge.errors import FormatError
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.hypernet.network import Rows
from tokforge.transplant.mix import Matrix
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Host", "fingerprint", "settled"]


@dataclass(frozen=True, eq=False)
class Host:
    """A model's folder, opened: headers, vocabulary, rows."""

    checkpoint: Checkpoint
    old: Vocabulary
    rows: Rows

    @classmethod
    def open(cls, folder: str | Path, old: Vocabulary | None = None) -> "Host":
        """Reads a model's rows. Raises what `Checkpoint.open` and `Vocabulary.load` raise, FormatError for
        more ids than rows.
        """
        checkpoint = Checkpoint.open(folder)
        old = old or Vocabulary.load(folder)
        if len(old) > checkpoint.rows:
            raise FormatError(
                f"the tokenizer has {len(old)} ids, the model {checkpoint.rows} rows",
                "use the tokenizer that this model was trained with",
                str(folder),
            )
        matrices = {side: _matrix(checkpoint, name) for side, name in _tensors(checkpoint).items()}
        return cls(checkpoint, old, Rows(matrices, {side: _kin(old, one) for side, one in matrices.items()}))


def fingerprint(vocabulary: Vocabulary) -> str:
    """Returns a hash of the tokens by id: a fine-tune has its base's."""
    found = hashlib.sha256()
    for i, key in enumerate(vocabulary.keys):
        found.update(repr((i, key, vocabulary.added.get(i))).encode())
    return found.hexdigest()


def _tensors(checkpoint: Checkpoint) -> dict[str, str]:
    layout = checkpoint.layout
    sides = {"tied" if layout.tied or not layout.output else "input": layout.input}
    if layout.output:
        sides["output"] = layout.output
    if layout.biases:
        sides["bias"] = layout.biases[0]
    return sides


def _matrix(checkpoint: Checkpoint, name: str) -> torch.Tensor:
    matrix = Matrix.of(checkpoint.array(name))
    return torch.from_numpy(matrix.take(np.arange(matrix.shape[0])).copy())


def _kin(old: Vocabulary, matrix: torch.Tensor) -> torch.Tensor:
    """Returns what stands in for each byte: the mean of the old one-byte tokens of its class, else of all."""
    ids = {key[0]: i for i, key in enumerate(old.keys) if key is not None and len(key) == 1}
    if not ids:
        return matrix.mean(0).expand(256, -1)
    found = []
    for value in range(256):
        alike = [i for other, i in ids.items() if _class(other) == _class(value)] or list(ids.values())
        found.append(matrix[alike].mean(0))
    return torch.stack(found)


def _class(value: int) -> str:
    if value < 0x20 or value == 0x7F:
        return "control"
    return "ascii" if value < 0x80 else "continuation" if value < 0xC0 else "lead"


def settled(model: Any) -> Any:
    """Freezes a model and readies it for rows that are swapped in."""
    model.requires_grad_(False)
    model.get_input_embeddings().padding_idx = None  # the row of that place is another token's now
    return model
