"""Vectors by which tokens are compared: a sentence encoder's of their text, or the model's own rows.

A sentence-transformers folder is run on every token's text, mean-pooled over its pieces. Without one, an old
token's vector is its own row less the mean row, and a new one's that of its pieces weighed by length. A
token that is no text of its own (part of a character) has the text of its readable bytes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.transplant.method import Task, from_pieces, spelled
from tokforge.transplant.mix import Matrix, Mix
from tokforge.transplant.models import load_model, quietly
from tokforge.transplant.neighbours import unit

__all__ = ["token_vectors"]

Floats = npt.NDArray[np.float32]
_BATCH = 512


def token_vectors(task: Task) -> tuple[Floats, Floats]:
    """Returns unit vectors of all old ids and of the composed new ones: (old ids, width), (composed, width).

    An old id without a token has a zero vector: it is near to nothing.
    """
    return task.resources.once("token vectors", lambda: _vectors(task))  # type: ignore[no-any-return]


def _vectors(task: Task) -> tuple[Floats, Floats]:
    old, new = task.alignment.old, task.alignment.new
    if task.resources.embedder is None:
        return _own_rows(task)
    texts = [_text(key) for key in old.keys]
    wanted = [_text(new.keys[i] or new.added.get(i, "").encode()) for i in task.alignment.composed.tolist()]
    return _embed(task, texts), _embed(task, wanted)


def _own_rows(task: Task) -> tuple[Floats, Floats]:
    alignment, matrix = task.alignment, task.matrix
    rows = matrix.take(np.arange(len(alignment.old))) - matrix.mean
    rows[[i for i, key in enumerate(alignment.old.keys) if key is None]] = 0
    mix = from_pieces(task, lambda pieces: [len(spelled(task, piece)) for piece in pieces])
    return unit(rows), unit(_centred(mix, matrix))


def _centred(mix: Mix, matrix: Matrix) -> Floats:
    return np.asarray(mix.rows(matrix) - matrix.mean, np.float32)


def _text(key: bytes | None) -> str:
    return "" if key is None else key.decode("utf-8", "ignore")


def _embed(task: Task, texts: list[str]) -> Floats:
    """Embeds texts, in batches of equal length, so that nothing is computed for padding."""
    import torch
    from tokenizers import Tokenizer

    resources = task.resources
    folder = Path(str(resources.embedder))
    model = resources.once("embedder", lambda: load_model(folder, device=resources.device))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(32)
    ids = [one.ids for one in tokenizer.encode_batch(texts)]
    vectors = np.zeros((len(texts), model.config.hidden_size), np.float32)
    order = sorted((n for n, text in enumerate(texts) if text.strip()), key=lambda n: len(ids[n]))
    with torch.inference_mode(), quietly():
        for batch in _batches(order, ids):
            inputs = torch.tensor([ids[n] for n in batch], device=resources.device)
            vectors[batch] = _pooled(model, inputs)
            resources.progress("embed", batch[-1], len(texts))
    return unit(vectors)


def _batches(order: list[int], ids: list[list[int]]) -> list[list[int]]:
    batches: list[list[int]] = []
    for n in order:
        if not batches or len(batches[-1]) == _BATCH or len(ids[batches[-1][0]]) != len(ids[n]):
            batches.append([])
        batches[-1].append(n)
    return batches


def _pooled(model: Any, inputs: Any) -> Floats:
    states = model(input_ids=inputs).last_hidden_state
    return np.asarray(states.mean(1).float().cpu().numpy(), np.float32)
