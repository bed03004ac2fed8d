"""Which weights move, and how they are stored: input and output rows, LoRA matrices (peft), or everything.

Invariant: whatever is not trained keeps its stored bytes. What is written is rounded to the checkpoint's
type; validation sees the rounded weights, so it judges what will be written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokforge.errors import ConfigError
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.tensor_file import Array, as_dtype

__all__ = ["Trained", "TrainedTensor", "choose"]


@dataclass(frozen=True)
class TrainedTensor:
    """A tensor's trained content, for the writer."""

    content: Array

    def shape(self, old: tuple[int, ...]) -> tuple[int, ...]:
        """Returns ``old``: training changes no shape."""
        return old

    def blocks(self) -> Iterator[Array]:
        """Yields the content."""
        yield self.content


@dataclass(frozen=True, eq=False)
class Trained:
    """The parameters that move, by their names in the model."""

    model: Any
    parameters: Mapping[str, Any]
    mask: Any
    """(rows, 1) - 1 for rows that may move; None if all may."""

    @property
    def count(self) -> int:
        """Numbers that are trained."""
        return sum(parameter.numel() for parameter in self.parameters.values())

    def mask_gradients(self) -> None:
        """Stops the rows that may not move."""
        for parameter in self.parameters.values() if self.mask is not None else ():
            if parameter.grad is not None:
                parameter.grad.mul_(self.mask)

    def snapshot(self) -> dict[str, Any]:
        """Returns copies of the parameters, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.parameters.items()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Puts a snapshot's values back."""
        import torch

        with torch.no_grad():
            for name, value in values.items():
                self.parameters[name].copy_(value)

    def written(self, checkpoint: Checkpoint) -> dict[str, TrainedTensor]:
        """Returns the stored tensors that moved, rounded to their stored types.

        Raises ConfigError where a trained parameter has no tensor of its name and shape.
        """
        found = {}
        for name, value in self._merged().items():
            stored = _stored_name(checkpoint, name, tuple(value.shape))
            content = np.ascontiguousarray(value.detach().float().cpu().numpy())
            found[stored] = TrainedTensor(as_dtype(content, checkpoint.dtype(stored)))
        layout = checkpoint.layout
        return found | {copy: found[layout.input] for copy in layout.copies if layout.input in found}

    def _merged(self) -> dict[str, Any]:
        """Full weights by name: LoRA's products are added to what they correct."""
        plain = {name: value for name, value in self.parameters.items() if ".lora_" not in name}
        for name, module in self.model.named_modules():
            if hasattr(module, "get_delta_weight") and hasattr(module, "base_layer"):
                plain[f"{name}.weight"] = module.base_layer.weight + module.get_delta_weight("default")
        return plain


def choose(model: Any, checkpoint: Checkpoint, train: str, rank: int, made: frozenset[int]) -> Trained:
    """Freezes ``model`` but for what ``train`` names; see `HealConfig.train`. ``made``: ids of made rows."""
    import torch

    rows = _rows(model)
    if train == "new-rows" and not made:
        raise ConfigError("the model has no record of made rows", "use --train rows", "--train")
    for parameter in model.parameters():
        parameter.requires_grad_(train == "all")
    if train == "lora":
        _add_lora(model, rank)
    for parameter in rows.values():
        parameter.requires_grad_(True)
    mask = None
    if train == "new-rows":
        mask = torch.zeros(checkpoint.rows, 1, device=model.device)
        mask[sorted(made)] = 1
    moving = {name: value for name, value in model.named_parameters() if value.requires_grad}
    return Trained(model, moving, mask)


def _rows(model: Any) -> dict[str, Any]:
    """Input and output rows; one where they are tied."""
    modules = [model.get_input_embeddings(), model.get_output_embeddings()]
    wanted = {id(module.weight) for module in modules if module is not None}
    return {name: value for name, value in model.named_parameters() if id(value) in wanted}


def _add_lora(model: Any, rank: int) -> None:
    """Puts LoRA matrices beside every linear layer but the head."""
    from peft import LoraConfig, inject_adapter_in_model
    from torch import nn

    head = model.get_output_embeddings()
    linear = [
        name for name, part in model.named_modules() if isinstance(part, nn.Linear) and part is not head
    ]
    if not linear:
        raise ConfigError("the model has no linear layers for LoRA", "use --train rows or all", "--train")
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=linear), model)


def _stored_name(checkpoint: Checkpoint, name: str, shape: tuple[int, ...]) -> str:
    for file in checkpoint.files:
        for stored, tensor in file.tensors.items():
            same = stored == name or name.endswith(f".{stored}") or stored.endswith(f".{name}")
            if same and tensor.shape == shape:
                return stored
    raise ConfigError(
        f"{name} is stored under another name or shape",
        "use --train rows, which this model allows",
        "--train",
    )
