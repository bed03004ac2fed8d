"""Features -> a batch for masked language modelling, as transformers' collators give it.

An example's randomness is keyed by (seed, epoch, example), its rate by the step, and the examples of a batch
share its budget. So the batch is the same whichever worker makes it, and how many there are. O(length) time
and memory.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, pick
from tokforge.masking.alignment import NO_UNIT, align_words, broken_at, document_starts
from tokforge.masking.budget import BatchBudget
from tokforge.masking.clock import Clock
from tokforge.masking.features import (
    Feature,
    attention_of,
    example_key,
    ids_of,
    integers,
    is_share,
    offsets_of,
    whole,
    word_ids_of,
    words_of,
)
from tokforge.masking.schedules import Constant, Schedule, schedule_to_dict
from tokforge.masking.segmenters import SEGMENTERS, Segmenter, check_takes, segmenter_version
from tokforge.masking.tokens import IGNORED, MaskedTokens, MaskingConfig, TokenMasker

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["WholeWordMaskingCollator"]

_CONSUMED = {
    *("input_ids", "labels", "offset_mapping", "special_tokens_mask", "text", "word_spans", "word_ids"),
    *("example_index", "document_ids", "attention_mask"),
}
"""Fields that are read, replaced or made here; others are padded and passed on."""
TOKENS = "tokens"
"""The segmenter under which each token is its own unit: plain token masking, with the same budget."""


class WholeWordMaskingCollator:
    """Masks whole words of any tokenizer's tokens, by an exact budget.

    A feature holds ``input_ids`` and one of: ``word_ids`` (prepared beforehand, None or -1 for special
    tokens; see :meth:`prepare`); ``offset_mapping`` and ``text``; ``offset_mapping`` and ``word_spans``. A
    packed feature holds a list of texts, or of spans, one a document. ``example_index`` keys its
    randomness; without it the example's ids do, so equal examples draw alike within an epoch.

    Args:
        tokenizer: any of transformers' tokenizers that has a mask token.
        segmenter: ``jieba``, ``unicode``, ``code``, ``characters``, a function from text to spans, or
            ``tokens``, under which each token stands alone.
        mask_probability: share of the tokens to mask; a number, or a schedule by step.
        seed: with epoch and example it decides every mask.
        config: what becomes of masked tokens, spans of words, and split words.
        evaluation_probability: share to mask while a Trainer evaluates; ``mask_probability`` at its step
            if None.
        pad_to_multiple_of: as in transformers' collators.
        return_tensors: ``pt`` or ``np``.
    Raises:
        ConfigError: an option is out of range, the tokenizer has no mask token, or a feature lacks a field.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        segmenter: Segmenter = "jieba",
        mask_probability: float | Schedule = 0.3,
        seed: int = 0,
        *,
        config: MaskingConfig | None = None,
        evaluation_probability: float | None = None,
        pad_to_multiple_of: int | None = None,
        return_tensors: str = "pt",
    ) -> None:
        if not hasattr(tokenizer, "all_special_ids"):
            raise ConfigError(
                f"the tokenizer is a {type(tokenizer).__name__}",
                "give one of transformers', such as AutoTokenizer.from_pretrained(folder)",
            )
        if tokenizer.mask_token_id is None:
            raise ConfigError(
                "the tokenizer has no mask token", "tokenizer.add_special_tokens({'mask_token': '[MASK]'})"
            )
        if return_tensors not in ("pt", "np"):
            raise ConfigError(f"return_tensors is {return_tensors!r}", "use 'pt' or 'np'")
        if callable(segmenter):
            check_takes("text", segmenter, "segmenter")
        else:
            pick("segmenter", str(segmenter), dict.fromkeys((*SEGMENTERS, TOKENS)))
        if callable(mask_probability):
            check_takes("step", mask_probability, "mask_probability")
        self.tokenizer, self.segmenter, self.seed = tokenizer, segmenter, whole("seed", seed)
        self.schedule: Schedule = (
            mask_probability
            if callable(mask_probability)
            else Constant(_checked_share("mask_probability", mask_probability))
        )
        if evaluation_probability is not None:
            _checked_share("evaluation_probability", evaluation_probability)
        if pad_to_multiple_of is not None:
            whole("pad_to_multiple_of", pad_to_multiple_of, least=1)
        self.config = MaskingConfig() if config is None else config
        self.evaluation_probability = evaluation_probability
        self.pad_to_multiple_of, self.return_tensors = pad_to_multiple_of, return_tensors
        self.evaluating = self._has_warned = False
        self.clock = Clock()
        self._special = _special_ids(tokenizer)
        self._make_masker()

    def _make_masker(self) -> None:
        ordinary = np.flatnonzero(~self._special[: len(self.tokenizer)])
        self._masker = TokenMasker(int(self.tokenizer.mask_token_id), ordinary, self.config)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_masker"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_masker()  # the engine's half is made anew in a spawned worker

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Returns ``input_ids``, ``labels``, ``attention_mask`` and what else the features hold.

        Shapes: each (examples, longest example), int64.
        """
        if not isinstance(features, Iterable):
            raise ConfigError(f"the features are a {type(features).__name__}", "give a list of mappings")
        features = list(features)
        masked = self._masked(features)
        length = max((len(one.input_ids) for one in masked), default=0)
        if self.pad_to_multiple_of:
            length = -(-length // self.pad_to_multiple_of) * self.pad_to_multiple_of
        pad_id = self.tokenizer.pad_token_id
        if pad_id is None and any(len(one.input_ids) < length for one in masked):
            raise ConfigError(
                "the tokenizer has no padding token", "set one, or give examples of equal length"
            )
        batch = {
            "input_ids": self._padded([one.input_ids for one in masked], length, pad_id or 0),
            "labels": self._padded([one.labels for one in masked], length, IGNORED),
            "attention_mask": self._padded(
                [attention_of(feature, len(feature["input_ids"])) for feature in features], length, 0
            ),
            **self._others(features, length),
        }
        return batch if self.return_tensors == "np" else _as_tensors(batch)

    def units(self, feature: Feature) -> npt.NDArray[np.int64]:
        """Returns the unit of each token of a feature; -1 for special tokens and padding. (tokens,)"""
        return self._units(feature, ids_of(feature, len(self._special)))

    def prepare(self, feature: Feature) -> dict[str, list[int]]:
        """Returns ``word_ids``, for ``dataset.map``: words are cut once, not once an epoch."""
        return {"word_ids": self.units(feature).tolist()}

    def set_epoch(self, epoch: int, *, step: int = 0, batches_a_step: int = 1) -> None:
        """Begins an epoch; call it before the loader is iterated.

        Args:
            epoch: other epochs mask other words.
            step: the optimizer's step that the epoch's first batch belongs to, for the schedule. After a
                resume: the step that training goes on from, if the loader skips what was seen.
            batches_a_step: batches of gradient accumulation.
        """
        self.clock.set(
            whole("epoch", epoch, below=1 << 63),
            whole("step", step, below=1 << 63),
            whole("batches_a_step", batches_a_step, least=1, below=1 << 63),
        )

    def state_dict(self) -> dict[str, Any]:
        """Returns what the masks of an epoch depend on besides the examples, as JSON values."""
        return {
            "seed": self.seed,
            "epoch": self.clock.epoch,
            "step": self.clock.first_step,
            "batches_a_step": self.clock.batches_a_step,
            "segmenter": self.segmenter if isinstance(self.segmenter, str) else None,
            "segmenter_version": segmenter_version(self.segmenter),
            "schedule": schedule_to_dict(self.schedule),
            "config": {name: _plain(getattr(self.config, name)) for name in MaskingConfig.__slots__},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from the first batch of a state's epoch.

        If your loader skips what was seen of it, call `set_epoch` behind this, with the step to go on from.
        Raises ConfigError if the state was made under other options, or lacks one.
        """
        ours = self.state_dict()
        if not isinstance(state, Mapping):
            raise ConfigError("the collator's state is no mapping", "give what state_dict() returned")
        if missing := ours.keys() - state.keys():
            raise ConfigError(
                f"the collator's state lacks {', '.join(sorted(missing))}", "take another checkpoint"
            )
        for name in ours.keys() - {"epoch", "step", "batches_a_step"}:
            if state[name] != ours[name]:
                raise ConfigError(
                    f"the checkpoint was masked with {name} {state[name]}, now it is {ours[name]}",
                    "make the collator as it was, or start a new run",
                    name,
                )
        self.set_epoch(state["epoch"], step=state["step"], batches_a_step=state["batches_a_step"])

    def _epoch_and_probability(self) -> tuple[int, float]:
        if not self.evaluating:
            step = self.clock.tick()
            return self.clock.epoch, self.schedule(step)
        if self.evaluation_probability is None:
            return 0, self.schedule(self.clock.first_step)
        return 0, self.evaluation_probability  # one epoch for all: losses are of the same masks

    def _masked(self, features: Sequence[Feature]) -> list[MaskedTokens]:
        """Masks the examples in turn, by a budget that they share."""
        epoch, probability = self._epoch_and_probability()
        budget = BatchBudget(probability)
        masked = []
        for feature in features:
            ids = ids_of(feature, len(self._special))
            units = self._units(feature, ids)
            tokens = int(np.count_nonzero(units >= 0))
            share = budget.due(tokens) / max(tokens, 1)
            key = (self.seed, epoch, example_key(feature, ids))
            masked.append(self._masker.mask(ids, units, probability=share, key=key))
            budget.spend(masked[-1].masked)
        if budget.is_missed() and not self._has_warned:
            self._has_warned = True
            _warn_of(budget)
        return masked

    def _units(self, feature: Feature, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        special = self._special[ids] | (attention_of(feature, len(ids)) == 0)
        if "special_tokens_mask" in feature:
            special |= integers(feature, "special_tokens_mask", len(ids)) != 0
        if self.segmenter == TOKENS:
            return np.where(special, NO_UNIT, np.arange(len(ids)))
        of_documents = (
            integers(feature, name, len(ids)) if name in feature else None
            for name in ("document_ids", "position_ids")
        )
        starts = document_starts(*of_documents)
        if "word_ids" in feature:
            units = np.where(special, NO_UNIT, word_ids_of(feature, len(ids), none=NO_UNIT))
        else:
            units = self._aligned(feature, special, starts)
        return units if starts is None else broken_at(units, starts)

    def _aligned(
        self, feature: Feature, special: npt.NDArray[np.bool_], starts: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        offsets = offsets_of(feature, len(special))
        words, lengths = words_of(feature, offsets, self.segmenter)
        return align_words(offsets, words, special=special, lengths=lengths, starts=starts).units

    def _others(self, features: Sequence[Feature], length: int) -> dict[str, npt.NDArray[Any]]:
        names = set().union(*features) - _CONSUMED if features else set()
        lengths = [len(feature["input_ids"]) for feature in features]
        batch = {}
        for name in sorted(names):
            rows = _rows(features, name)
            per_token = all(row.ndim == 1 and len(row) == one for row, one in zip(rows, lengths, strict=True))
            if not per_token and len({row.shape for row in rows}) > 1:
                raise ConfigError(f"features hold {name} of several lengths", "remove the column, or pad it")
            batch[name] = self._padded(rows, length, 0) if per_token else np.stack(rows)
        return batch

    def _padded(self, rows: Sequence[npt.ArrayLike], length: int, value: int) -> npt.NDArray[np.int64]:
        table = np.full((len(rows), length), value, dtype=np.int64)
        for at, row in enumerate(rows):
            numbers = np.asarray(row)
            place = slice(length - len(numbers), None) if self._pads_left() else slice(len(numbers))
            table[at, place] = numbers
        return table

    def _pads_left(self) -> bool:
        return bool(self.tokenizer.padding_side == "left")


def _special_ids(tokenizer: "PreTrainedTokenizerBase") -> npt.NDArray[np.bool_]:
    """True for ids that are never masked and never drawn: special tokens, with a role or without. (ids,)"""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    special = {*tokenizer.all_special_ids, *(one for one, token in added.items() if token.special)}
    marks = np.zeros(max([len(tokenizer), *(one + 1 for one in special)]), dtype=bool)
    marks[list(special)] = True
    return marks


def _warn_of(budget: BatchBudget) -> None:
    warnings.warn(
        f"a batch has {budget.reached:.1%} of its tokens masked, not {budget.share:.1%}: its words are too "
        "long to come within half a point; MaskingConfig(split_units=True) does, or use larger batches",
        stacklevel=4,
    )


def _checked_share(name: str, share: float) -> float:
    if not is_share(share):
        raise ConfigError(f"{name} is {share!r}", "use a share from 0 to 1")
    return share


def _rows(features: Sequence[Feature], name: str) -> list[npt.NDArray[Any]]:
    """Returns a field that is passed on; raises ConfigError unless all hold it, as numbers."""
    if not all(name in feature for feature in features):
        raise ConfigError(f"some features hold {name}, others do not", "remove the column, or fill it")
    try:
        rows = [np.asarray(feature[name]) for feature in features]
    except (TypeError, ValueError):
        rows = []
    if not rows or any(row.dtype.kind not in "biuf" for row in rows):
        raise ConfigError(f"features hold {name}, which is no array of numbers", "remove the column")
    return rows


def _as_tensors(batch: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(array) for name, array in batch.items()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
