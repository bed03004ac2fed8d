"""Options of a transplant, checked before any work. Light: no numpy, no torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError, pick

__all__ = ["CHECKS", "DEVICES", "TEMPLATES", "TransplantConfig"]

DEVICES = ("auto", "cpu", "cuda", "mps")
TEMPLATES = ("auto", "new", "old", "none")
CHECKS = ("auto", "full", "tensors")


@dataclass(frozen=True, kw_only=True, slots=True)
class TransplantConfig:
    """How a model gets a new tokenizer."""

    method: str = "tokenadapt"
    """One of `tokforge.transplant.METHODS`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The method's own options, as text."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Text of a new token -> text of the old one whose row it takes."""
    id_map: str | None = None
    """File that ``edit`` or ``convert`` wrote with the new tokenizer: its kept ids keep their rows."""
    multiple_of: int = 1
    """The rows are padded to a multiple of this."""
    chat_template: str = "auto"
    """One of TEMPLATES: ``auto`` is the new tokenizer's, else the old one if all its markers are there,
    else none.
    """
    embedder: str | None = None
    """Folder of a sentence-transformers model; None takes the model's own rows."""
    donor: str | None = None
    """Folder of a model that has the new tokenizer."""
    hypernet: str | None = None
    """Folder of a hypernetwork that ``train-hypernet`` wrote."""
    text: tuple[str, ...] = ()
    """Files or folders of sample text: for the plan's figures, and for methods that learn from text."""
    text_field: str | None = None
    device: str = "auto"
    seed: int = 0
    checks: str = "auto"
    """One of CHECKS: ``full`` runs both models; ``auto`` does where they fit in memory."""

    def __post_init__(self) -> None:
        pick("device", self.device, dict.fromkeys(DEVICES))
        pick("chat_template", self.chat_template, dict.fromkeys(TEMPLATES))
        pick("checks", self.checks, dict.fromkeys(CHECKS))
        if not 1 <= self.multiple_of <= 65536:
            raise ConfigError(f"multiple_of is {self.multiple_of}", "use 1 to 65536")
        for name in ("embedder", "donor", "hypernet"):
            given = getattr(self, name)
            if given is not None and not Path(given).is_dir():
                raise ConfigError(f"{name} is {given!r}, which is no folder", "give a model's folder", given)

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as JSON values."""
        return asdict(self)
