"""How a model merges: checked once, stored in the model's own config.json."""

from dataclasses import asdict, dataclass
from typing import Any

from tokforge.errors import ConfigError, pick
from tokforge.merging.plan import MAX_UNIT
from tokforge.merging.units import kinds_of

__all__ = ["MASKS", "POSITIONS", "REDUCERS", "MergeConfig"]

REDUCERS = ("mean", "first", "attention", "mean+mlp")
POSITIONS = ("compact", "first", "mean")
MASKS = ("binary", "proportional")


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeConfig:
    """Options of `merge_subtokens`; stored as ``subtoken_merging`` in the model's configuration."""

    units: str = "identifiers"
    """Policy that the plans of this model are made with; ``none`` leaves the model as it was."""
    reducer: str = "mean"
    """How the rows of a unit become one; the learned ones begin as the mean."""
    at_layer: int = 0
    """Merging stands before this layer; 0 is at the embeddings."""
    positions: str = "compact"
    """Rows count as 0, 1, 2, ... (compact), as their unit's first token, or as the mean of its tokens."""
    mask: str = "binary"
    """``proportional`` adds log(size) to the scores of a row, so that it weighs as much as its tokens did."""
    max_unit: int = MAX_UNIT

    def __post_init__(self) -> None:
        kinds_of(self.units)
        for option, known in (("reducer", REDUCERS), ("positions", POSITIONS), ("mask", MASKS)):
            pick(option, getattr(self, option), dict.fromkeys(known))
        if self.at_layer < 0:
            raise ConfigError(f"at_layer is {self.at_layer}", "use 0, at the embeddings, or more", "at_layer")
        if self.max_unit < 1:
            raise ConfigError(f"max_unit is {self.max_unit}", "use 1 or more", "max_unit")

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)
