"""Plans of different lengths as one batch, for a DataLoader or Trainer."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tokforge.merging.plan import MergePlan

__all__ = ["MergingCollator"]


class MergingCollator:
    """Pads rows with ``input_ids`` and ``segment_ids`` (see `MergePlan.features`), and their labels if any.

    ``labels`` that are lists are padded with -100; numbers become one tensor. Rows may be plans themselves.
    """

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def __call__(self, rows: Sequence[MergePlan | Mapping[str, Any]]) -> dict[str, Tensor]:
        features = [row.features() if isinstance(row, MergePlan) else row for row in rows]
        ids = [torch.as_tensor(row["input_ids"], dtype=torch.long) for row in features]
        batch = {
            "input_ids": _padded(ids, self.pad_token_id),
            "attention_mask": _padded([torch.ones_like(one) for one in ids], 0),
            "segment_ids": _padded(
                [torch.as_tensor(row["segment_ids"], dtype=torch.long) for row in features], -1
            ),
        }
        if "labels" in features[0]:
            labels = [torch.as_tensor(row["labels"]) for row in features]
            batch["labels"] = _padded(labels, -100) if labels[0].ndim else torch.stack(labels)
        return batch


def _padded(rows: Sequence[Tensor], value: int) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)
