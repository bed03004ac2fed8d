"""Options of healing, checked before any work. Light: no numpy, no torch."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from tokforge.errors import ConfigError, pick
from tokforge.transplant.config import DEVICES

__all__ = ["DTYPES", "LOSSES", "TRAINABLES", "HealConfig"]

DTYPES = ("float32", "bfloat16")
TRAINABLES = ("rows", "new-rows", "lora", "all")
LOSSES = ("next-token", "hidden", "chunks")


@dataclass(frozen=True, kw_only=True, slots=True)
class HealConfig:
    """What is trained, on what, and for how long."""

    train: str = "rows"
    """One of TRAINABLES: all rows, those a transplant made, LoRA and all rows, or every weight."""
    loss: str = "next-token"
    """One of LOSSES: ``hidden`` matches the teacher's last hidden states where both tokenizers end a token,
    ``chunks`` its probability of the text between two such ends.
    """
    steps: int = 200
    learning_rate: float = 1e-4
    warmup: float = 0.1
    """Part of the steps over which the rate rises; it falls by a cosine to a tenth afterwards."""
    window: int = 1024
    """Bytes of a training window."""
    batch: int = 3
    """Windows that are run at once."""
    accumulate: int = 1
    """Batches in a step."""
    rank: int = 16
    """Rank of the LoRA matrices."""
    clip: float = 1.0
    """Longest gradient."""
    validate_every: int = 20
    held_out: int = 16
    """Most windows of the text that are kept for validation."""
    patience: int = 5
    """Validations without a better one after which training ends; 0 for never."""
    checkpoint_every: int = 50
    text_field: str | None = None
    device: str = "auto"
    dtype: str = "float32"
    """Precision of the arithmetic; weights are kept in float32."""
    seed: int = 0

    def __post_init__(self) -> None:
        pick("train", self.train, dict.fromkeys(TRAINABLES))
        pick("loss", self.loss, dict.fromkeys(LOSSES))
        pick("device", self.device, dict.fromkeys(DEVICES))
        pick("dtype", self.dtype, dict.fromkeys(DTYPES))
        counts = ("steps", "batch", "accumulate", "rank", "validate_every", "held_out", "checkpoint_every")
        for name in counts:
            if not 1 <= getattr(self, name) <= 1 << 30:
                raise ConfigError(f"{name} is {getattr(self, name)}", "use 1 or more", name)
        if not 16 <= self.window <= 1 << 20:
            raise ConfigError(f"window is {self.window}", "use 16 to 1048576 bytes", "window")
        for name in ("learning_rate", "clip"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ConfigError(f"{name} is {value}", "use a number above 0", name)
        if not 0 <= self.warmup <= 1 or not self.patience >= 0 or not self.seed >= 0:
            raise ConfigError(
                "warmup, patience or seed is out of range", "warmup is 0 to 1, the others 0 or more"
            )

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0."""
        rising = round(self.steps * self.warmup)
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        through = (step - rising) / max(self.steps - rising, 1)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * through))

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as JSON values."""
        return asdict(self)
