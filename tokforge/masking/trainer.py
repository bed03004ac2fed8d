"""The callback that tells a collator where transformers' Trainer stands, and guards resumed runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError
from tokforge.masking.collator import WholeWordMaskingCollator

__all__ = ["STATE_NAME", "MaskingCallback"]

STATE_NAME = "masking.json"
"""The file in a checkpoint that holds the collator's state."""


class MaskingCallback:
    """Give it to the Trainer together with its collator.

    It sets epoch and step when an epoch begins, resumed ones included; holds the schedule still while the
    Trainer evaluates; writes the collator's state into checkpoints; and refuses to resume under other
    options. It has the methods of transformers' ``TrainerCallback`` without being one, so that importing it
    does not load transformers.
    """

    def __init__(self, collator: WholeWordMaskingCollator) -> None:
        self.collator = collator

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Ignores the Trainer's other events, whichever its version has."""
        if not name.startswith("on_"):
            raise AttributeError(f"MaskingCallback has no attribute {name!r}")
        return lambda *_, **__: None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Compares the checkpoint's state, if this run was resumed."""
        path = _checkpoint(args, state) / STATE_NAME
        if state.global_step and path.exists():
            self.collator.load_state_dict(_read(path))

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tells the collator the epoch and its first step."""
        self.collator.evaluating = False
        self.collator.set_epoch(
            int(state.epoch or 0), step=state.global_step, batches_a_step=args.gradient_accumulation_steps
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Holds the schedule if an evaluation follows: its batches are none of training's."""
        self.collator.evaluating = control.should_evaluate

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """As after a step."""
        self.collator.evaluating = control.should_evaluate

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Lets the schedule go on."""
        self.collator.evaluating = False

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Writes the collator's state into the checkpoint."""
        folder = _checkpoint(args, state)
        if state.is_world_process_zero and folder.is_dir():
            (folder / STATE_NAME).write_text(json.dumps(self.collator.state_dict(), indent=2) + "\n")


def _checkpoint(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise FormatError("the collator's state is no JSON", "take another checkpoint", str(path)) from error
    return state
