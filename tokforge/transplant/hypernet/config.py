"""What a hypernetwork is and how it is trained; checked before any work. Light: no numpy, no torch."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tokforge.errors import ConfigError, pick
from tokforge.options import check_types, from_options
from tokforge.transplant.config import DEVICES

__all__ = ["BASES", "DTYPES", "FORMS", "HypernetConfig", "NetConfig"]

FORMS = ("residual", "paper")
BASES = ("length-weighted", "composed")
DTYPES = ("bfloat16", "float32")


@dataclass(frozen=True, kw_only=True, slots=True)
class NetConfig:
    """The network; what of its shape follows from the model is not here."""

    layers: int = 2
    width: int = 384
    heads: int = 6
    feedforward: int = 768
    max_pieces: int = 16
    """Pieces that the network reads; the base sums all of them."""
    form: str = "residual"
    """``residual`` adds to a heuristic and starts as it; ``paper`` predicts the whole row (2405.07883)."""
    base: str = "length-weighted"
    """One of BASES: what ``residual`` adds to. ``composed`` shrinks it to the mean row by 0.85."""

    def __post_init__(self) -> None:
        check_types(self)
        pick("form", self.form, dict.fromkeys(FORMS))
        pick("base", self.base, dict.fromkeys(BASES))
        for name in ("layers", "width", "heads", "feedforward", "max_pieces"):
            if not 1 <= getattr(self, name) <= 1 << 16:
                raise ConfigError(f"{name} is {getattr(self, name)}", "use 1 to 65536")
        if self.width % self.heads:
            raise ConfigError(
                f"a width of {self.width} does not divide by {self.heads} heads", "change one of them"
            )

    @property
    def shrink(self) -> float:
        """How far from the mean row a base row stands, of its own distance."""
        return 0.85 if self.base == "composed" else 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HypernetConfig:
    """How a hypernetwork is trained."""

    net: NetConfig = field(default_factory=NetConfig)
    reconstruction_steps: int = 100
    """Stage 1: steps on the model's own tokens, cut anew."""
    reconstruction_tokens: int = 512
    steps: int = 1000
    """Stage 2: steps on text under sampled tokenizers."""
    batch: int = 8
    """Sequences of one pass."""
    length: int = 128
    """Tokens of a sequence."""
    accumulate: int = 1
    """Passes of one step, each under a tokenizer of its own."""
    negatives: int = 1024
    """Rows beside those of the batch that its tokens are told from."""
    lexical: float = 0.5
    """Weight of the distance to known rows, where the network predicts those, too (``paper``)."""
    distill: float = 1.0
    """Weight of the distance between hidden states under the new tokenizer and under the old, where
    tokens of both end; 0 leaves the old tokenizer's pass out."""
    unigram: float = 0.25
    """Share of the steps whose tokenizer is drawn from counted substrings; the others take a prefix of
    one of the tokenizers given."""
    smallest: int = 4096
    largest: int = 65536
    """Entries of a sampled tokenizer: log-uniform between the two."""
    learning_rate: float = 3e-4
    warmup: int = 20
    floor: float = 0.1
    """The learning rate ends at this part of its peak, by a cosine."""
    clip: float = 0.5
    weight_decay: float = 0.01
    checkpointing: bool = False
    """Recompute the model's activations in the backward pass: less memory, a third more time."""
    validate_every: int = 50
    validation_sequences: int = 16
    patience: int = 0
    """Validations without a better figure before training ends; 0: never."""
    save_every: int = 25
    device: str = "auto"
    dtype: str = "bfloat16"
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        pick("device", self.device, dict.fromkeys(DEVICES))
        pick("dtype", self.dtype, dict.fromkeys(DTYPES))
        _check_counts(self)
        if not 0 <= self.unigram <= 1:
            raise ConfigError(f"unigram is {self.unigram}", "use a share from 0 to 1")
        if not 300 <= self.smallest <= self.largest:
            raise ConfigError(
                f"tokenizers of {self.smallest} to {self.largest} entries", "use 300 or more, smallest first"
            )

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as JSON values."""
        return asdict(self)

    @classmethod
    def parse(cls, options: Mapping[str, Any], pairs: Iterable[str]) -> "HypernetConfig":
        """Returns ``options``, and of each NAME=VALUE the option of the training or of the network.

        >>> HypernetConfig.parse({"steps": 5}, ["width=96", "clip=1"]).net.width
        96
        """
        training: dict[str, Any] = dict(options)
        net: dict[str, Any] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise ConfigError(f"{pair!r} is no pair", "write it as NAME=VALUE", "--set")
            kind, home = (NetConfig, net) if name in NetConfig.__slots__ else (cls, training)
            home[name] = _typed(name, value, getattr(kind(), name, ""))
        return cls.from_dict({**training, "net": net})

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "HypernetConfig":
        """Returns the options that `as_dict` gave. Raises UnknownNameError for one that is unknown."""
        net = from_options(NetConfig, content.get("net", {}))
        return from_options(cls, {**content, "net": net})


def _typed(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return text.lower() in ("true", "yes", "1")
    try:
        return type(default)(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}", f"give it as {default}", "--set") from None


def _check_counts(config: HypernetConfig) -> None:
    least = {
        **dict.fromkeys(("reconstruction_steps", "steps", "patience", "warmup", "seed"), 0),
        **dict.fromkeys(("reconstruction_tokens", "batch", "accumulate", "negatives"), 1),
        **dict.fromkeys(("validate_every", "validation_sequences", "save_every"), 1),
        "length": 2,
        **dict.fromkeys(("lexical", "distill", "weight_decay", "floor"), 0),
        **dict.fromkeys(("learning_rate", "clip"), 1e-12),
    }
    for name, bound in least.items():
        if not bound <= getattr(config, name) < 1 << 32:
            raise ConfigError(f"{name} is {getattr(config, name)}", f"use {bound:g} or more")
    if config.steps + config.reconstruction_steps == 0:
        raise ConfigError("there is no step to train", "set steps or reconstruction_steps")
