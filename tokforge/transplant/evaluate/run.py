"""`evaluate`: one model, or one beside its original, on the same windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.errors import ConfigError, pick
from tokforge.options import from_options
from tokforge.tokenizer.locations import locate_model
from tokforge.transplant.config import DEVICES
from tokforge.transplant.evaluate.bits import WindowBits, window_bits
from tokforge.transplant.evaluate.causal import Causal
from tokforge.transplant.evaluate.figures import Interval, bits_per_byte, bootstrap, perplexity, token_ratio
from tokforge.transplant.evaluate.guesses import Guess, Question, ask, questions_of, read_questions
from tokforge.transplant.evaluate.windows import Window, cut_windows
from tokforge.transplant.models import pick_device
from tokforge.transplant.record import made_ids

__all__ = ["DTYPES", "EvaluateConfig", "Evaluation", "evaluate"]

DTYPES = ("float32", "bfloat16")
Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateConfig:
    """What a model is measured on."""

    window: int = 2048
    """Bytes of a window."""
    windows: int = 32
    """Most windows of each input."""
    text_field: str | None = None
    guess: bool = False
    """Whether the windows are made into questions, too: see `guesses`."""
    questions: str | None = None
    """A file of questions: JSON lines."""
    device: str = "auto"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        pick("device", self.device, dict.fromkeys(DEVICES))
        pick("dtype", self.dtype, dict.fromkeys(DTYPES))
        if not 16 <= self.window <= 1 << 20 or not 1 <= self.windows <= 1 << 20:
            raise ConfigError(
                f"window is {self.window}, windows {self.windows}", "use 16 bytes or more, 1 window or more"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Bits per byte by input, and beside another model."""

    windows: tuple[Window, ...]
    bits: tuple[WindowBits, ...]
    against: tuple[WindowBits, ...] | None
    questions: tuple[Question, ...] = ()
    guesses: tuple[Guess, ...] = ()
    against_guesses: tuple[Guess, ...] | None = None

    @property
    def inputs(self) -> list[str]:
        """The inputs, in order."""
        return list(dict.fromkeys(window.source for window in self.windows))

    def of(self, name: str | None) -> tuple[list[WindowBits], list[WindowBits] | None]:
        """Returns the windows of one input, or of all: of the model, and of the other."""
        kept = [n for n, window in enumerate(self.windows) if name in (None, window.source)]
        other = None if self.against is None else [self.against[n] for n in kept]
        return [self.bits[n] for n in kept], other

    def as_dict(self) -> dict[str, Any]:
        """Returns every figure as JSON values."""
        names: list[str] = self.inputs
        own = {name: self.of(name) for name in names}
        found: dict[str, Any] = {
            "bits_per_byte": {name: _interval(bits_per_byte(own[name][0])) for name in names},
            "perplexity": {name: perplexity(own[name][0]) for name in names},
            "bytes": sum(one.bytes for one in self.bits),
            "tokens": sum(one.tokens for one in self.bits),
            "windows": len(self.bits),
            "lossy_windows": sum(one.lossy for one in self.bits),
            "all": _interval(bits_per_byte(self.bits)),
            "split": _split(self.bits),
            "guesses": _guessed(self),
            "against": None,
        }
        if self.against is not None:
            found["against"] = {name: _pair(*own[name]) for name in names} | {"all": _pair(*self.of(None))}
        return found


def evaluate(
    model: str | Path,
    text: Sequence[str],
    *,
    against: str | Path | None = None,
    config: EvaluateConfig | None = None,
    progress: Progress = lambda phase, done, total: None,
    **options: Any,
) -> Evaluation:
    """Measures the causal model in folder ``model`` on ``text`` (files, folders, globs), and ``against``
    another.

    ``options`` are those of `EvaluateConfig`. Raises InputError for text or models that cannot be read,
    ConfigError for a model that is not causal.
    """
    config = config or from_options(EvaluateConfig, options)
    windows = cut_windows(text, size=config.window, count=config.windows, field=config.text_field)
    questions = questions_of(windows) if config.guess else []
    questions += read_questions(config.questions) if config.questions else []
    device = pick_device(config.device)

    def measure(named: str | Path) -> tuple[tuple[WindowBits, ...], tuple[Guess, ...]]:
        folder = locate_model(named)
        causal = Causal.open(folder, device=device, dtype=config.dtype)
        bits = window_bits(causal, windows, new_ids=made_ids(folder), progress=progress)
        return tuple(bits), tuple(ask(causal, questions, progress=progress))

    bits, guesses = measure(model)
    others, other_guesses = (None, None) if against is None else measure(against)
    return Evaluation(
        windows=tuple(windows),
        bits=bits,
        against=others,
        questions=tuple(questions),
        guesses=guesses,
        against_guesses=other_guesses,
    )


def _interval(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _split(bits: Sequence[WindowBits]) -> dict[str, Any]:
    """Bits of shared and of new tokens, per byte that they spell."""
    new_bits, new_bytes = sum(one.new_bits for one in bits), sum(one.new_bytes for one in bits)
    rest = max(sum(one.bytes for one in bits) - new_bytes, 1)
    return {
        "new_token_share": sum(one.new_tokens for one in bits) / max(sum(one.tokens for one in bits), 1),
        "new": new_bits / new_bytes if new_bytes else None,
        "shared": (sum(one.bits for one in bits) - new_bits) / rest,
    }


def _pair(own: Sequence[WindowBits], other: Sequence[WindowBits] | None) -> dict[str, Any]:
    others = other or []
    difference = bits_per_byte(own, others)
    return {
        "bits_per_byte": bits_per_byte(others).value,
        "difference": _interval(difference),
        "byte_ratio": 2.0**difference.value,
        "token_ratio": token_ratio(own, others),
        "tokens": sum(one.tokens for one in others),
    }


def _guessed(found: Evaluation) -> dict[str, Any]:
    """Shares of right guesses, of clozes and of choices, and less the other model's on the same questions."""
    clozes = [n for n, one in enumerate(found.questions) if len(one.choices) == 1]
    choices = [n for n, one in enumerate(found.questions) if len(one.choices) > 1]
    return {name: _share(found, at) for name, at in (("cloze", clozes), ("choice", choices)) if at}


def _share(found: Evaluation, at: list[int]) -> dict[str, Any]:
    right = np.array([found.guesses[n].right for n in at], float)
    bits = sum(found.guesses[n].bits for n in at) / sum(found.guesses[n].bytes for n in at)
    share: dict[str, Any] = {
        "questions": len(at),
        "right": _interval(bootstrap(lambda drawn: float(right[drawn].mean()), len(at))),
        "by_chance": float(np.mean([_chance(found.questions[n]) for n in at])),
        "bits_per_byte": bits,
        "against": None,
    }
    if found.against_guesses is not None:
        other = np.array([found.against_guesses[n].right for n in at], float)
        less = bootstrap(lambda drawn: float((right - other)[drawn].mean()), len(at))
        share["against"] = {"right": float(other.mean()), "difference": _interval(less)}
    return share


def _chance(question: Question) -> float:
    return 1 / len(question.choices) if len(question.choices) > 1 else 0.0
