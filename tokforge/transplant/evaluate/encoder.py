"""How far a sentence encoder kept its space: vectors, retrieval and neighbours beside the original's.

A text's vector is the mean of its last hidden states, made unit length (as all-MiniLM-L6-v2 does). A
window's first half is a query, its second half the document that belongs to it. Measures: R@1, the share of
queries whose nearest document is theirs; overlap@k, the mean share of a text's ``k`` nearest texts under one
model that are so under the other; the cosine of both vectors of a text. Quadratic in the texts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.transplant.evaluate.figures import Interval, bootstrap
from tokforge.transplant.evaluate.windows import cut_windows
from tokforge.transplant.models import load_model
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["compare_encoders", "halves", "hits", "neighbour_overlap", "pooled", "text_vectors"]

Floats = npt.NDArray[np.float32]
_BATCH, _LONGEST = 32, 256


def compare_encoders(
    model: str | Path,
    original: str | Path,
    text: Sequence[str],
    *,
    window: int = 512,
    windows: int = 200,
    k: int = 10,
) -> dict[str, Any]:
    """Returns the measures of both encoders on windows of ``text``, each with a bootstrap interval.

    Raises InputError for text or models that cannot be read, ConfigError with fewer than k + 2 windows.
    """
    queries, documents = halves(text, window, windows)
    if len(queries) < k + 2:
        raise ConfigError(f"{len(queries)} windows for {k} neighbours", "give more text, or a smaller window")
    new, old = ([text_vectors(folder, part) for part in (queries, documents)] for folder in (model, original))
    own, others = hits(*new), hits(*old)
    shares = neighbour_overlap(new[1], old[1], k)
    cosines = (new[1] * old[1]).sum(1)
    ratio = bootstrap(lambda at: float(own[at].sum() / max(others[at].sum(), 1)), len(own))
    return {
        "texts": len(queries),
        "r_at_1": _mean(own),
        "original_r_at_1": _mean(others),
        "r_at_1_ratio": _interval(ratio),
        f"overlap_at_{k}": _mean(shares),
        "cosine": _mean(cosines),
        "cosine_p5": float(np.quantile(cosines, 0.05)),
    }


def halves(text: Sequence[str], window: int, windows: int) -> tuple[list[str], list[str]]:
    """Returns the first and the second halves of windows of ``text``."""
    found = [one.text for one in cut_windows(text, size=window, count=windows)]
    return [one[: len(one) // 2] for one in found], [one[len(one) // 2 :] for one in found]


def text_vectors(folder: str | Path, texts: Sequence[str], device: str = "cpu") -> Floats:
    """Returns unit vectors of texts, (texts, width)."""
    import torch

    model, vocabulary = load_model(folder, device=device), Vocabulary.load(folder)
    with torch.inference_mode():
        parts = [pooled(model, vocabulary, texts[n : n + _BATCH]) for n in range(0, len(texts), _BATCH)]
        return np.asarray(torch.cat(parts).cpu().numpy(), np.float32)


def pooled(model: Any, vocabulary: Vocabulary, texts: Sequence[str]) -> Any:
    """Returns unit vectors of one batch, as a tensor: cls, at most 254 tokens, sep; mean over all of them."""
    import torch

    roles = vocabulary.roles
    begin, end = roles.get("cls", roles.get("bos")), roles.get("sep", roles.get("eos"))
    ids = [vocabulary.encode(text)[: _LONGEST - 2] for text in texts]
    ids = [[*([] if begin is None else [begin]), *one, *([] if end is None else [end])] for one in ids]
    longest = max(map(len, ids))
    inputs = torch.tensor([one + [0] * (longest - len(one)) for one in ids], device=model.device)
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids], device=model.device)
    states = model(input_ids=inputs, attention_mask=mask).last_hidden_state
    sums = (states * mask[:, :, None]).sum(1)
    return torch.nn.functional.normalize(sums / mask.sum(1, keepdim=True), dim=1)


def hits(queries: Floats, documents: Floats) -> npt.NDArray[np.bool_]:
    """Tells for each query whether the document of its own number is the nearest."""
    return np.asarray((queries @ documents.T).argmax(1) == np.arange(len(queries)))


def neighbour_overlap(own: Floats, other: Floats, k: int) -> npt.NDArray[np.float64]:
    """Returns for each text the share of its k nearest others that both spaces agree on."""
    near = [_nearest(vectors, k) for vectors in (own, other)]
    return np.array([len(set(a) & set(b)) / k for a, b in zip(*near, strict=True)])


def _nearest(vectors: Floats, k: int) -> list[list[int]]:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    found: list[list[int]] = np.argsort(-cosines, 1, kind="stable")[:, :k].tolist()
    return found


def _mean(values: npt.NDArray[Any]) -> dict[str, float]:
    return _interval(bootstrap(lambda at: float(values[at].mean()), len(values)))


def _interval(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}
