"""The one place where a tokenizer gets its engine."""

from typing import TYPE_CHECKING

from tokforge.tokenizer.model import Definition, Pipeline

if TYPE_CHECKING:
    from tokforge._core import Encoder, Splitter

__all__ = ["make_encoder", "make_splitter"]


def make_encoder(definition: Definition, *, split: bool = True) -> "Encoder":
    """Builds the engine of ``definition``; without ``split`` each input is one pretoken."""
    from tokforge import _core

    return _core.Encoder(
        definition.table.ordinary(),
        definition.model.merges,
        byte_ids=definition.table.byte_ids(),
        ignore_merges=definition.model.ignore_merges,
        splitter=make_splitter(definition.pipeline) if split else None,
    )


def make_splitter(pipeline: Pipeline) -> "Splitter | None":
    """Builds the splitter of ``pipeline``, None where it cuts nothing."""
    from tokforge import _core

    return _core.Splitter(pipeline.pretokenizers) if pipeline.pretokenizers else None
