"""What happens around the model."""

from dataclasses import dataclass
from typing import Literal

from tokforge.errors import ConfigError, pick
from tokforge.tokenizer.decoders import Decoder
from tokforge.tokenizer.normalizers import Normalizer, check_normalizer
from tokforge.tokenizer.pretokenizers import canonical_pipeline
from tokforge.tokenizer.stages import Stage

__all__ = ["PRESERVED", "Pipeline"]

PRESERVED = ("padding", "post_processor", "truncation")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What happens around the model.

    A ``binary`` tokenizer takes bytes as they are: no normaliser and no splitter. ``normalizers`` and
    ``pretokenizers`` (stages: names, ``regex:PATTERN``, or data of `stages`) apply in turn, the stages in
    canonical form; ``decoders`` turn tokens into text, and join their bytes where there are none.
    ``preserved`` holds (section, JSON text) of the parts of a tokenizer.json that ids do not depend on
    and that are carried through verbatim.
    """

    kind: Literal["text", "binary"]
    pretokenizers: tuple[Stage, ...] = ()
    normalizers: tuple[Normalizer, ...] = ()
    preserved: tuple[tuple[str, str], ...] = ()
    decoders: tuple[Decoder, ...] = ()

    def __post_init__(self) -> None:
        pick("the pipeline's kind", self.kind, dict.fromkeys(("text", "binary")))
        for step in self.normalizers:
            check_normalizer(step)
        for section, _ in self.preserved:
            pick("the preserved section", section, dict.fromkeys(PRESERVED))
        object.__setattr__(self, "pretokenizers", canonical_pipeline(self.pretokenizers))
        if self.kind == "binary" and (self.pretokenizers or self.normalizers or self.decoders):
            raise ConfigError(
                "a binary tokenizer has neither pre-tokenizer nor normaliser nor decoder",
                "use kind 'text', or drop them",
            )

    def splitter_names(self) -> tuple[str, ...]:
        """Returns the stages as they are shown to people."""
        return tuple(map(str, self.pretokenizers))
