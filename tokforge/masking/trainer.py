"""The callback that tells a collator where transformers' Trainer stands, and guards resumed runs."""

from collections.abc import Callable
from typing import Any

from tokforge.errors import ConfigError
from tokforge.masking.collator import WholeWordMaskingCollator

__all__ = ["STATE_NAME", "MaskingCallback"]

STATE_NAME = "tokforge.masking"
"""The key of the collator's state in a checkpoint's trainer_state.json, among its ``stateful_callbacks``."""


class MaskingCallback:
    """Give it to the Trainer together with its collator.

    It sets epoch and step when an epoch begins, resumed ones included; holds the schedule still while the
    Trainer evaluates, outside of training as well; keeps the collator's state in checkpoints; and refuses to
    resume under other options. It has the methods of transformers' ``TrainerCallback`` without being one, so
    that importing it does not load transformers.
    """

    def __init__(self, collator: WholeWordMaskingCollator) -> None:
        if not isinstance(collator, WholeWordMaskingCollator):
            raise ConfigError(f"the collator is a {type(collator).__name__}", "give the Trainer's own")
        self.collator = collator
        self._training = False
        self._epoch = self._steps_made_again = 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Ignores the Trainer's other events, whichever its version has."""
        if not name.startswith("on_"):
            raise AttributeError(f"MaskingCallback has no attribute {name!r}")
        return lambda *_, **__: None

    def on_init_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Whatever is collated before an epoch begins, is to judge."""
        self.collator.evaluating = True

    def on_train_begin(
        self, args: Any, state: Any, control: Any, train_dataloader: Any = None, **_: Any
    ) -> None:
        """Compares the checkpoint's state, if this run was resumed; finds the epoch it goes on with."""
        saved = state.stateful_callbacks.get(STATE_NAME)
        if state.global_step and saved is not None:
            self.collator.load_state_dict(saved)
        self._epoch = int(state.epoch or 0)
        self._steps_made_again = _steps_made_again(args, state, train_dataloader)

    def on_epoch_begin(
        self, args: Any, state: Any, control: Any, train_dataloader: Any = None, **_: Any
    ) -> None:
        """Tells the collator the epoch and its first step.

        Epochs are counted here: over a stream of unknown length ``state.epoch`` is a share of all steps.
        """
        self._training, self.collator.evaluating = True, False
        self.collator.set_epoch(
            self._epoch,
            step=state.global_step - self._steps_made_again,
            batches_a_step=_batches_a_step(args, train_dataloader),
        )
        self._epoch, self._steps_made_again = self._epoch + 1, 0
        state.stateful_callbacks[STATE_NAME] = self.collator.state_dict()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Holds the schedule if an evaluation follows: its batches are none of training's."""
        self.collator.evaluating = control.should_evaluate

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """As after a step."""
        self.collator.evaluating = control.should_evaluate

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Lets the schedule go on, if this was in the midst of training."""
        self.collator.evaluating = not self._training

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """As before training."""
        self._training, self.collator.evaluating = False, True


def _batches_a_step(args: Any, loader: Any) -> int:
    """Returns how many batches this process collates for a step.

    Of a stream, accelerate has the main process collate the batches of all, and deals them out.
    """
    from accelerate.data_loader import DataLoaderDispatcher

    deals = isinstance(loader, DataLoaderDispatcher) and not loader.split_batches
    return int(args.gradient_accumulation_steps * (args.world_size if deals else 1))


def _steps_made_again(args: Any, state: Any, loader: Any) -> int:
    """Returns for how many steps a resumed epoch's batches are collated only to be skipped.

    The Trainer skips what was seen of a data set by number, of a stream by reading it once more.
    """
    from torch.utils.data import IterableDataset

    if args.ignore_data_skip or not isinstance(getattr(loader, "dataset", None), IterableDataset):
        return 0
    try:
        steps_an_epoch = -(-len(loader) // args.gradient_accumulation_steps)
    except TypeError:  # of unknown length: to the Trainer one epoch is all of training
        steps_an_epoch = state.max_steps
    return int(state.global_step % max(steps_an_epoch, 1))
