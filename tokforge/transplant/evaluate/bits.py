"""The bits that a causal model needs for each window: minus log2 of the probability of its tokens, summed.

Every token of the window is predicted, the first from one prefix token (the model's ``bos``, else
``eos``), so that
no byte is free. Special tokens in the text are text. A window whose tokens do not spell it again (a byte
that the vocabulary lacks) is counted as lossy: its bits are too few.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import read_json
from tokforge.transplant.evaluate.windows import Window
from tokforge.transplant.models import load_model
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["WindowBits", "prefix_id", "window_bits"]

Floats = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], object]
_TOKENS = 2048
"""Most tokens in a batch: the logits take as many rows of the vocabulary."""


@dataclass(frozen=True, slots=True)
class WindowBits:
    """One window under one model."""

    bits: float
    tokens: int
    bytes: int
    new_bits: float
    """Bits of the tokens whose row was made, not copied."""
    new_tokens: int
    new_bytes: int
    lossy: bool


def window_bits(
    folder: str | Path,
    windows: Sequence[Window],
    *,
    new_ids: frozenset[int] = frozenset(),
    device: str = "cpu",
    dtype: str = "float32",
    progress: Progress = lambda phase, done, total: None,
) -> list[WindowBits]:
    """Returns the bits of each window, in order, under the causal model in ``folder``.

    ``new_ids``: ids whose bits are summed apart. Raises ConfigError for a model that is not causal or has no
    token to begin with.
    """
    import torch

    model, vocabulary = load_model(folder, device=device, dtype=dtype), Vocabulary.load(folder)
    if "CausalLM" not in type(model).__name__ and "LMHead" not in type(model).__name__:
        raise ConfigError(f"{type(model).__name__} is no causal model", "bits per byte need one", str(folder))
    prefix = prefix_id(folder)
    ids = [vocabulary.encode(window.text) for window in windows]
    results: dict[int, WindowBits] = {}
    with torch.inference_mode():
        for batch in _batches(ids):
            surprises = _surprises(model, [ids[n] for n in batch], prefix)
            for n, bits in zip(batch, surprises, strict=True):
                results[n] = _result(vocabulary, windows[n], ids[n], bits, new_ids)
            progress("evaluate", len(results), len(windows))
    return [results[n] for n in range(len(windows))]


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


def _result(
    vocabulary: Vocabulary, window: Window, ids: Sequence[int], bits: Floats, new_ids: frozenset[int]
) -> WindowBits:
    is_new = np.array([i in new_ids for i in ids], bool)
    lengths = np.array([len(vocabulary.keys[i] or vocabulary.added.get(i, "").encode()) for i in ids])
    return WindowBits(
        bits=float(bits.sum()),
        tokens=len(ids),
        bytes=window.bytes,
        new_bits=float(bits[is_new].sum()),
        new_tokens=int(is_new.sum()),
        new_bytes=int(lengths[is_new].sum()) if is_new.any() else 0,
        lossy=vocabulary.decode(ids).strip() != window.text.strip(),
    )
