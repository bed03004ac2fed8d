"""A model of transformers that merges: the same object, with its class replaced by a subclass.

Its weights, heads, `generate`, checkpointing, device and precision stay those of transformers. The options go
into the model's own configuration and a learned reducer into its weights, so that `save_pretrained` writes a
folder which a plain `AutoModel` loads too, then without merging.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tokforge.errors import ConfigError, InputError
from tokforge.merging.config import MergeConfig
from tokforge.merging.models.families import FAMILIES, family_of, stack_of
from tokforge.merging.models.merged_pass import MergedPass, active_pass, entering
from tokforge.merging.models.packing import Packing
from tokforge.merging.models.reducers import make_reducer

__all__ = ["from_pretrained", "merge_subtokens"]

_SEQ2SEQ = ("T5Model", "T5ForConditionalGeneration")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds")


def merge_subtokens(
    model: Any,
    *,
    units: str = "identifiers",
    reducer: str = "mean",
    at_layer: int = 0,
    positions: str = "compact",
    mask: str = "binary",
    max_unit: int = MergeConfig().max_unit,
) -> Any:
    """Makes ``model`` merge the subtokens of its units, in place, and returns it.

    From then on the model is called with ``segment_ids`` (batch, tokens) beside its other inputs: see
    `plan_for`, `batch_plans` and `MergingCollator`. What comes out has one row a token again: every head
    works, except in two places: an encoder-decoder's encoder output and a causal model's logits have one
    row a unit. With ``units="none"`` the model is returned as it is, and needs no ``segment_ids``.

    Options: see `MergeConfig`.

    Raises:
        UnknownNameError: the model is of no known family, or an option names nothing.
        ConfigError: the model has fewer layers than ``at_layer``, or merges already.
    """
    config = MergeConfig(
        units=units, reducer=reducer, at_layer=at_layer, positions=positions, mask=mask, max_unit=max_unit
    )
    if isinstance(model, _Merged):
        raise ConfigError("the model merges subtokens already", "load it again without merging")
    family_of(model)
    if config.units == "none":
        return model
    layers = model.config.num_hidden_layers
    if at_layer >= layers:
        raise ConfigError(
            f"at_layer is {at_layer}, and the model has {layers} layers", f"use 0 to {layers - 1}"
        )
    _install(model, config)
    model.__class__ = _merged_class(type(model))
    return model


def from_pretrained(folder: str | Path, **options: Any) -> Any:
    """Loads a merging model that `save_pretrained` wrote; ``options`` go to transformers' from_pretrained.

    Raises InputError if the folder holds no model, or one that does not merge.
    """
    import transformers

    place = str(folder)
    if not (Path(folder) / "config.json").is_file():
        raise InputError("there is no config.json", "give the folder that save_pretrained wrote", place)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    if not isinstance(getattr(config, "subtoken_merging", None), Mapping):
        raise InputError("this model does not merge subtokens", "load it with transformers", place)
    base = getattr(transformers, (config.architectures or ["none"])[0], None)
    if base is None:
        raise InputError(f"architectures is {config.architectures}", "name a class of transformers", place)
    return _merged_class(base).from_pretrained(folder, local_files_only=True, **options)


class _MergedLayer:
    """A layer that, behind the merger, is given the rows' arguments."""

    def __call__(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Any:
        active = active_pass()
        if active is not None and self._merging_index >= active.config.at_layer:  # type: ignore[attr-defined]
            if not active.merged:
                hidden_states = active.reduce(hidden_states)
            stack = active.stack
            args, kwargs = stack._merging_family.rewrite(active, stack, self, hidden_states, args, kwargs)
        return super().__call__(hidden_states, *args, **kwargs)  # type: ignore[misc]


class _MergedStack:
    """The module that runs the layers: merges at the embeddings, and restores the tokens at the end."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        active = active_pass()
        if active is None:
            return super().forward(*args, **kwargs)  # type: ignore[misc]
        active.stack = self
        family = self._merging_family  # type: ignore[attr-defined]
        at_words = family.absolute and active.config.at_layer == 0 and active.config.positions != "mean"
        if at_words:
            args, kwargs = (
                (),
                _merge_words(self, active, {**dict(zip(_INPUTS, args, strict=False)), **kwargs}),
            )
        found = super().forward(*args, **kwargs)  # type: ignore[misc]
        return _restored(found, active.packing) if active.restore else found


def _merge_words(stack: Any, active: MergedPass, inputs: dict[str, Any]) -> dict[str, Any]:
    """Merges before learned positions are added: a row gets one position and not a mean of several."""
    words, at = inputs.get("inputs_embeds"), inputs.get("position_ids")
    if words is None:
        words = stack.embeddings.word_embeddings(inputs["input_ids"])
    if at is not None and active.config.positions == "compact":
        raise ConfigError(
            "position_ids say where tokens stand, and compact rows stand elsewhere", "use positions='first'"
        )
    packing, kinds = active.packing, inputs.get("token_type_ids")
    # RoBERTa begins behind its padding index; BERT's embeddings have no such attribute.
    padding = getattr(stack.embeddings, "padding_idx", None)
    offset = 0 if padding is None else padding + 1
    rows = active.positions() + offset if at is None else packing.first(at)
    return {
        **inputs,
        "input_ids": None,
        "inputs_embeds": active.reduce(words),
        "attention_mask": packing.mask,
        "position_ids": rows,
        "token_type_ids": None if kinds is None else packing.first(kinds),
    }


def _restored(found: Any, packing: Packing) -> Any:
    if isinstance(found, tuple):
        return (packing.unmerge(found[0]), *found[1:])
    found.last_hidden_state = packing.unmerge(found.last_hidden_state)
    return found


class _Merged:
    """A model that is called with ``segment_ids``; see `_merged_class`."""

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)  # type: ignore[call-arg]
        _install(self, MergeConfig(**config.subtoken_merging))

    def generate(
        self, inputs: Tensor | None = None, *, segment_ids: Tensor | None = None, **kwargs: Any
    ) -> Any:
        """Generates as transformers does, from the merged input; a causal model returns new tokens only."""
        plain = super().generate  # type: ignore[misc]
        ids = kwargs.pop("input_ids", None) if inputs is None else inputs
        if ids is None or "encoder_outputs" in kwargs:
            return plain(**kwargs)
        family, config = self._merging_family, self.subtoken_merging  # type: ignore[attr-defined]
        if family.causal:
            if (config.at_layer, config.positions, config.mask) != (0, "compact", "binary"):
                raise ConfigError(
                    "a key-value cache holds one length and whole positions",
                    "generate with at_layer=0, positions='compact', mask='binary'",
                )
            active = _pass(self, segment_ids, {}, restore=False, at_right=True)
            words = active.reduce(self.get_input_embeddings()(ids))  # type: ignore[attr-defined]
            return plain(inputs_embeds=words, **{**kwargs, "attention_mask": active.packing.mask})
        encoded, mask = _encode(self, segment_ids, {**kwargs, "input_ids": ids})
        return plain(encoder_outputs=encoded, **{**kwargs, "attention_mask": mask})


def _forward(model: Any, plain: Any, segment_ids: Tensor | None, inputs: dict[str, Any]) -> Any:
    """One call of the model: ``plain`` is its forward without merging."""
    if inputs.get("encoder_outputs") is not None or inputs.get("past_key_values") is not None:
        return plain(**inputs)  # the input was merged before
    if _is_seq2seq(model):
        encoded, mask = _encode(model, segment_ids, inputs)
        rest = {name: value for name, value in inputs.items() if name not in ("input_ids", "inputs_embeds")}
        return plain(**{**rest, "encoder_outputs": encoded, "attention_mask": mask})
    causal_lm = model._merging_family.causal and model.get_output_embeddings() is not None
    active = _pass(model, segment_ids, inputs, restore=not causal_lm)
    if model._merging_family.causal:
        inputs = {**inputs, "use_cache": False}
    if causal_lm and inputs.get("labels") is not None:
        # A row may foretell only what follows its unit: the first token of the next one.
        first = active.packing.first(inputs["labels"])
        inputs["labels"] = first.masked_fill(active.packing.sizes == 0, -100)
    with entering(active):
        return plain(**inputs)


def _encode(model: Any, segment_ids: Tensor | None, inputs: dict[str, Any]) -> tuple[Any, Tensor]:
    """Runs the encoder: one row a unit, and the mask that the decoder looks through."""
    active = _pass(model, segment_ids, inputs, restore=False)
    names = ("input_ids", "attention_mask", "inputs_embeds", "output_hidden_states", "output_attentions")
    given = {name: inputs[name] for name in names if inputs.get(name) is not None}
    with entering(active):
        return model.get_encoder()(**given), active.packing.mask


def _pass(
    model: Any, segment_ids: Tensor | None, inputs: dict[str, Any], *, restore: bool, at_right: bool = False
) -> MergedPass:
    if segment_ids is None:
        raise ConfigError(
            "the model merges subtokens, and was called without segment_ids",
            "pass those of plan_for, batch_plans or MergingCollator",
            "segment_ids",
        )
    packing = Packing(segment_ids, at_right=at_right)
    return MergedPass(
        model.subtoken_merging,
        packing,
        model.subtoken_merger,
        restore=restore,
        token_mask=inputs.get("attention_mask"),
    )


def _is_seq2seq(model: Any) -> bool:
    return any(base.__name__ in _SEQ2SEQ for base in type(model).__mro__)


def _install(model: Any, config: MergeConfig) -> None:
    """Enters the stack and the layers, and adds the reducer."""
    family = family_of(model)
    stack = stack_of(model, family)
    layers = stack.get_submodule(family.layers)
    for index, layer in enumerate(layers):
        layer._merging_index = index
        layer.__class__ = _derived(_MergedLayer, type(layer))
    stack._merging_family = family
    if stack is not model:
        stack.__class__ = _derived(_MergedStack, type(stack))
    model._merging_family, model.subtoken_merging = family, config
    model.config.subtoken_merging = config.as_dict()
    words = model.get_input_embeddings().weight
    model.subtoken_merger = make_reducer(config.reducer, words.shape[1]).to(words.device, words.dtype)


def _derived(mixin: type, base: type, **members: Any) -> type:
    """Derives a class that goes by its base's name, which transformers writes into files and looks up."""
    named = {"__module__": base.__module__, "__qualname__": base.__qualname__, **members}
    return type(base.__name__, (mixin, base), named)


def _merged_class(base: Any) -> Any:
    """Derives the class whose forward takes ``segment_ids`` too, and says so to who looks (Trainer does)."""
    signature = inspect.signature(base.forward)
    if base.__name__ in {family.stack for family in FAMILIES.values()}:
        base = _derived(_MergedStack, base)  # a model without a head runs the layers itself
    names = [name for name in signature.parameters if name != "self"]

    def forward(self: Any, *args: Any, segment_ids: Tensor | None = None, **kwargs: Any) -> Any:
        inputs = {**dict(zip(names, args, strict=False)), **kwargs}
        return _forward(self, super(derived, self).forward, segment_ids, inputs)

    new = inspect.Parameter("segment_ids", inspect.Parameter.KEYWORD_ONLY, default=None)
    known = list(signature.parameters.values())
    at = len(known) - (known[-1].kind is inspect.Parameter.VAR_KEYWORD)
    forward.__signature__ = signature.replace(parameters=[*known[:at], new, *known[at:]])  # type: ignore[attr-defined]
    derived: Any = _derived(_Merged, base, forward=forward)
    return derived
