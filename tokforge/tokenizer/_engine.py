"""The one place where a tokenizer gets its engine."""

from typing import TYPE_CHECKING

from tokforge.tokenizer.model import Definition

if TYPE_CHECKING:
    from tokforge._core import Encoder

__all__ = ["make_encoder"]


def make_encoder(definition: Definition, *, split: bool = True) -> "Encoder":
    """Builds the engine of ``definition``; without ``split`` each input is one pretoken."""
    from tokforge import _core

    stages = definition.pipeline.pretokenizers
    return _core.Encoder(
        definition.table.ordinary(),
        definition.model.merges,
        byte_ids=definition.table.byte_ids(),
        ignore_merges=definition.model.ignore_merges,
        splitter=_core.Splitter(stages) if stages and split else None,
    )
