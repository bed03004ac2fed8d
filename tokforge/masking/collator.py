"""Features -> a batch for masked language modelling, as transformers' collators give it.

Each example is masked by itself: its randomness is keyed by (seed, epoch, example), its rate by the step.
So the batch is the same whichever worker makes it, and how many there are. O(length) time and memory.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.masking.alignment import NO_UNIT, align_words, broken_at, document_starts
from tokforge.masking.clock import Clock
from tokforge.masking.schedules import Constant, Schedule, schedule_to_dict
from tokforge.masking.segmenters import Segmenter, Spans, as_spans, segmenter_version, word_spans
from tokforge.masking.tokens import IGNORED, MaskedTokens, MaskingConfig, TokenMasker

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["WholeWordMaskingCollator"]

Feature = Mapping[str, Any]
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
    randomness; without it, equal examples are masked alike within an epoch.

    Args:
        tokenizer: any of transformers' tokenizers that has a mask token.
        segmenter: ``jieba``, ``unicode``, ``code``, ``characters``, a function from text to spans, or
            ``tokens``, under which each token stands alone.
        mask_probability: share of the tokens to mask; a number, or a schedule by step.
        seed: with epoch and example it decides every mask.
        config: what becomes of masked tokens, spans of words, and split words.
        evaluation_probability: share to mask while a Trainer evaluates; ``mask_probability`` at its step
            if None.
        pad_to_multiple_of, return_tensors: as in transformers' collators; ``pt`` or ``np``.
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
        if tokenizer.mask_token_id is None:
            raise ConfigError(
                "the tokenizer has no mask token", "tokenizer.add_special_tokens({'mask_token': '[MASK]'})"
            )
        if return_tensors not in ("pt", "np"):
            raise ConfigError(f"return_tensors is {return_tensors!r}", "use 'pt' or 'np'")
        self.tokenizer, self.segmenter, self.seed = tokenizer, segmenter, seed
        self.schedule: Schedule = (
            mask_probability if callable(mask_probability) else Constant(mask_probability)
        )
        self.config = config or MaskingConfig()
        self.evaluation_probability = evaluation_probability
        self.pad_to_multiple_of, self.return_tensors = pad_to_multiple_of, return_tensors
        self.evaluating = False
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
        epoch, probability = self._epoch_and_probability()
        masked = [self._mask(feature, epoch, probability) for feature in features]
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
            "attention_mask": self._padded([_attention(feature) for feature in features], length, 0),
            **self._others(features, length),
        }
        return batch if self.return_tensors == "np" else _as_tensors(batch)

    def units(self, feature: Feature) -> npt.NDArray[np.int64]:
        """Returns the unit of each token of a feature; -1 for special tokens and padding. (tokens,)"""
        ids = np.asarray(feature["input_ids"], dtype=np.int64)
        special = self._special[ids] | (np.asarray(_attention(feature)) == 0)
        if "special_tokens_mask" in feature:
            special |= np.asarray(feature["special_tokens_mask"], dtype=bool)
        starts = document_starts(feature.get("document_ids"), feature.get("position_ids"))
        if self.segmenter == TOKENS:
            return np.where(special, NO_UNIT, np.arange(len(ids)))
        if "word_ids" in feature:
            given = [NO_UNIT if one is None else one for one in feature["word_ids"]]
            units = np.where(special, NO_UNIT, np.asarray(given, dtype=np.int64))
        else:
            units = self._aligned(feature, special, starts)
        return units if starts is None else broken_at(units, starts)

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
        self.clock.set(epoch, step, batches_a_step)

    def state_dict(self) -> dict[str, Any]:
        """Returns what masks depend on besides the examples, as JSON values."""
        return {
            "seed": self.seed,
            "epoch": self.clock.epoch,
            "step": self.clock.first_step,
            "segmenter": self.segmenter if isinstance(self.segmenter, str) else None,
            "segmenter_version": segmenter_version(self.segmenter),
            "schedule": schedule_to_dict(self.schedule),
            "config": {name: _plain(getattr(self.config, name)) for name in MaskingConfig.__slots__},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state; raises ConfigError if it was made under other options, or lacks one."""
        ours = self.state_dict()
        if missing := ours.keys() - state.keys():
            raise ConfigError(
                f"the collator's state lacks {', '.join(sorted(missing))}", "take another checkpoint"
            )
        for name in ours.keys() - {"epoch", "step"}:
            if state[name] != ours[name]:
                raise ConfigError(
                    f"the checkpoint was masked with {name} {state[name]}, now it is {ours[name]}",
                    "make the collator as it was, or start a new run",
                    name,
                )
        self.set_epoch(state["epoch"], step=state["step"])

    def _epoch_and_probability(self) -> tuple[int, float]:
        if not self.evaluating:
            step = self.clock.tick()
            return self.clock.epoch, self.schedule(step)
        if self.evaluation_probability is None:
            return 0, self.schedule(self.clock.first_step)
        return 0, self.evaluation_probability  # one epoch for all: losses are of the same masks

    def _mask(self, feature: Feature, epoch: int, probability: float) -> MaskedTokens:
        ids = np.asarray(feature["input_ids"], dtype=np.int64)
        key = (self.seed, epoch, _example_key(feature, ids))
        return self._masker.mask(ids, self.units(feature), probability=probability, key=key)

    def _aligned(
        self, feature: Feature, special: npt.NDArray[np.bool_], starts: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        if "offset_mapping" not in feature or not {"text", "word_spans"} & feature.keys():
            raise ConfigError(
                f"a feature holds {', '.join(sorted(feature))}, from which no words follow",
                "tokenize with return_offsets_mapping=True and keep the text, or add word_ids by `prepare`; "
                "for a Trainer set remove_unused_columns=False",
            )
        words, lengths = self._words(feature)
        return align_words(
            feature["offset_mapping"], words, special=special, lengths=lengths, starts=starts
        ).units

    def _words(self, feature: Feature) -> tuple[list[Spans], list[int]]:
        """Returns the words of each document, and the documents' lengths."""
        if "word_spans" in feature:
            given = feature["word_spans"]
            packed = len(given) > 0 and np.ndim(given[0]) == 2
            words = [as_spans(one) for one in given] if packed else [as_spans(given)]
            ends = np.asarray(feature["offset_mapping"])[:, 1]
            return words, [int(ends.max(initial=0))] * len(words)
        texts = [feature["text"]] if isinstance(feature["text"], str) else list(feature["text"])
        return [word_spans(text, self.segmenter) for text in texts], [len(text) for text in texts]

    def _others(self, features: Sequence[Feature], length: int) -> dict[str, npt.NDArray[Any]]:
        names = set().union(*features) - _CONSUMED if features else set()
        batch = {}
        for name in sorted(names):
            rows = [np.asarray(feature[name]) for feature in features]
            per_token = all(
                row.ndim == 1 and len(row) == len(feature["input_ids"])
                for row, feature in zip(rows, features, strict=True)
            )
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
    """True for ids that are never masked and never drawn: all special tokens. (ids,)"""
    special = list(tokenizer.all_special_ids)
    marks = np.zeros(max([len(tokenizer), *(one + 1 for one in special)]), dtype=bool)
    marks[special] = True
    return marks


def _attention(feature: Feature) -> npt.ArrayLike:
    if "attention_mask" in feature:
        mask: npt.ArrayLike = feature["attention_mask"]
        return mask
    return np.ones(len(feature["input_ids"]), dtype=np.int64)


def _example_key(feature: Feature, ids: npt.NDArray[np.int64]) -> int:
    if "example_index" in feature:
        return int(feature["example_index"])
    return int.from_bytes(hashlib.blake2b(ids.tobytes(), digest_size=8).digest(), "little")


def _as_tensors(batch: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(array) for name, array in batch.items()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
