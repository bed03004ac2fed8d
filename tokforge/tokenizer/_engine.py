"""The one place where a tokenizer gets its engine."""

from typing import TYPE_CHECKING

from tokforge.errors import ConfigError
from tokforge.tokenizer.model import BpeModel, Definition, Pipeline

if TYPE_CHECKING:
    from tokforge._core import Encoder, Splitter

__all__ = ["make_encoder", "make_splitter"]


def make_encoder(definition: Definition, *, split: bool = True) -> "Encoder":
    """Builds the engine of ``definition``; without ``split`` each input is one pretoken."""
    from tokforge import _core

    model = definition.model
    if not isinstance(model, BpeModel) or not model.is_byte_level:
        raise ConfigError(f"{type(model).__name__} of this kind cannot encode yet", "use byte-level BPE")
    return _core.Encoder(
        definition.table.ordinary(),
        model.merges,
        byte_ids=definition.table.byte_ids(),
        ignore_merges=model.ignore_merges,
        splitter=make_splitter(definition.pipeline) if split else None,
    )


def make_splitter(pipeline: Pipeline) -> "Splitter | None":
    """Builds the splitter of ``pipeline``, None where it cuts nothing."""
    from tokforge import _core

    names = [stage for stage in pipeline.pretokenizers if isinstance(stage, str)]
    if len(names) < len(pipeline.pretokenizers):
        raise ConfigError("these pre-tokenizer stages cannot be carried out yet", "use named splitters")
    return _core.Splitter(names) if names else None
