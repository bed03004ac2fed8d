"""One example: units -> masked tokens, by an exact budget.

The budget is k = round(p x tokens that may be masked). Units are shuffled and taken up to the first
that does not fit; see core/src/masking/choose.rs for the remainder. The stream of random numbers is
keyed, so that the result depends on the key and the example alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.masking.features import integers, is_share, whole

__all__ = ["IGNORED", "MaskedTokens", "MaskingConfig", "TokenMasker"]

IGNORED = -100
"""The label of tokens that are not to be predicted."""
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskingConfig:
    """What becomes of the tokens that are chosen, and what is chosen together."""

    mask_share: float = 0.8
    """Share of masked tokens that become the mask."""
    random_share: float = 0.1
    """Share that become a random token, never a special one; the rest is kept."""
    replace_units: bool = False
    """Whether all tokens of a unit share one fate; else each token has its own."""
    span_weights: tuple[float, ...] = (1.0,)
    """Chances that 1, 2, ... neighbouring units are masked together; MacBERT's are (.4, .3, .2, .1)."""
    split_units: bool = False
    """Whether a unit may be masked in part where the budget cannot be met with whole ones."""

    def __post_init__(self) -> None:
        for name in ("mask_share", "random_share"):
            if not is_share(getattr(self, name)):
                raise ConfigError(f"{name} is {getattr(self, name)!r}", "use a share from 0 to 1")
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise ConfigError(
                f"mask_share and random_share sum to {self.mask_share + self.random_share}",
                "sum to 1 or less",
            )
        for name in ("replace_units", "split_units"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {getattr(self, name)!r}", "use True or False")
        weights = self.span_weights
        are_numbers = isinstance(weights, Sequence) and all(isinstance(one, Real) for one in weights)
        if not are_numbers or min(weights, default=-1) < 0 or not 0 < sum(weights) < float("inf"):
            raise ConfigError(f"span_weights is {weights}", "give chances, not all 0, such as (0.5, 0.5)")


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedTokens:
    """An example as the model sees it."""

    input_ids: Ids
    """(tokens,) - with masked tokens replaced."""
    labels: Ids
    """(tokens,) - the true ids of masked tokens; -100 elsewhere."""
    maskable: int
    """Tokens in units."""
    budget: int
    """Tokens that should be masked: round(probability x maskable)."""

    @property
    def masked(self) -> int:
        """Tokens that are masked."""
        return int(np.count_nonzero(self.labels != IGNORED))


class TokenMasker:
    """Masks examples of one vocabulary. Immutable."""

    def __init__(self, mask_id: int, random_ids: npt.ArrayLike, config: MaskingConfig | None = None) -> None:
        """``random_ids`` are what random tokens are drawn from; special tokens do not belong there."""
        from tokforge import _core

        self.config = MaskingConfig() if config is None else config
        if not isinstance(self.config, MaskingConfig):
            raise ConfigError(f"config is a {type(config).__name__}", "give a MaskingConfig(...)")
        drawn = np.ascontiguousarray(integers({"random_ids": random_ids}, "random_ids"))
        if self.config.random_share and not drawn.size:
            raise ConfigError("there are no ids to draw random tokens from", "give some, or random_share=0")
        self._engine = _core.Masker(
            mask_id=whole("mask_id", mask_id, below=1 << 63),
            random_ids=drawn,
            mask_share=self.config.mask_share,
            random_share=self.config.random_share,
            span_weights=list(self.config.span_weights),
            split_units=self.config.split_units,
            by_unit=self.config.replace_units,
        )

    def mask(
        self, input_ids: npt.ArrayLike, units: npt.ArrayLike, *, probability: float, key: Sequence[int]
    ) -> MaskedTokens:
        """Masks whole units until ``probability`` of the tokens in units is masked.

        Shapes:
            input_ids, units: (tokens,) - runs of equal units are masked together, negative ones never.
        Args:
            key: numbers from 0 to 2**64 - 1, such as (seed, epoch, example); equal keys mask alike.
        """
        if not is_share(probability):
            raise ConfigError(f"the mask probability is {probability!r}", "use a share from 0 to 1")
        if not isinstance(key, Sequence):
            raise ConfigError(f"the key is {key!r}", "give numbers, such as (seed, epoch, example)")
        ids = np.ascontiguousarray(integers({"input_ids": input_ids}, "input_ids"))
        runs = np.ascontiguousarray(integers({"units": units}, "units"))
        numbers = [whole("a number of the key", one) for one in key]
        masked, labels, maskable, budget = self._engine.mask(ids, runs, probability, numbers)
        return MaskedTokens(
            input_ids=np.frombuffer(masked, dtype=np.int64),
            labels=np.frombuffer(labels, dtype=np.int64),
            maskable=maskable,
            budget=budget,
        )
