"""Which tensors of a checkpoint have one row a token: input embedding, output head, its bias.

transformers builds the architecture without weights (on the meta device) and says which module is what,
so no list of architectures is kept here. A checkpoint may drop the prefix of its base model, and holds a
tied tensor once or several times: names are matched by their ends, and every copy counts. No code of the
checkpoint is ever run: an architecture that transformers does not know is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokforge.errors import ConfigError, FormatError, MissingExtraError

__all__ = ["Layout", "find_layout", "need", "require_extra"]

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Names of the tensors with one row a token, as the checkpoint spells them."""

    input: str
    copies: tuple[str, ...] = ()
    """Other names under which the input embedding is stored (tied models that keep each)."""
    output: str | None = None
    """The head's matrix where it is a matrix of its own; None where it is tied, or there is no head."""
    biases: tuple[str, ...] = ()
    kind: str = "causal"
    """``causal``, ``masked``, ``seq2seq`` or ``encoder`` (no head)."""
    tied: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Every tensor that is rewritten."""
        return frozenset({self.input, *self.copies, *self.biases, *([self.output] if self.output else [])})


def require_extra() -> None:
    """Raises MissingExtraError unless the packages of the extra are installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "safetensors") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)}: not installed", "run: pip install 'tokforge[transplant]'", "transplant"
        )


def need(config: Mapping[str, Any], key: str, where: str) -> Any:
    """Returns an entry of config.json; raises FormatError where it is missing."""
    if config.get(key) is None:
        raise FormatError(f"config.json has no {key}", "restore it from the model's source", where)
    return config[key]


def find_layout(config: Mapping[str, Any], shapes: Shapes, where: str) -> Layout:
    """Finds the tensors of ``shapes`` (name -> shape) that have one row a token.

    Raises ConfigError for an architecture that transformers does not know, FormatError where the
    checkpoint lacks what the architecture needs or two tensors disagree on the rows.
    """
    model = _empty_model(config, where)
    names: dict[int, list[str]] = {id(parameter): [] for parameter in model.parameters()}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    found = _stored(names[id(embedding.weight)], shapes)
    if not found:
        raise FormatError(f"the checkpoint lacks {names[id(embedding.weight)][0]}", "fetch it again", where)
    tied = head is not None and head.weight is embedding.weight
    own = [] if head is None or tied else _stored(names[id(head.weight)], shapes)
    rows = shapes[found[0]][0]
    layout = Layout(
        input=found[0],
        copies=tuple(found[1:]),
        output=own[0] if own else None,
        biases=_biases(model, head, shapes, rows),
        kind=_kind(model, head),
        tied=head is not None and not own,
    )
    _check_rows(layout, shapes, rows, where)
    return layout


def _empty_model(config: Mapping[str, Any], where: str) -> Any:
    require_extra()
    import torch
    import transformers

    architecture = (config.get("architectures") or [None])[0]
    kind = getattr(transformers, str(architecture), None)
    if architecture is None or kind is None or not hasattr(kind, "config_class"):
        raise ConfigError(
            f"the architecture {architecture!r} is not one of transformers {transformers.__version__}",
            "only architectures without code of their own are supported",
            where,
        )
    settings = kind.config_class.from_dict(dict(config))
    with torch.device("meta"):
        model = kind(settings)
    model.tie_weights()
    return model


def _stored(names: list[str], shapes: Shapes) -> list[str]:
    """Returns the checkpoint's spellings of ``names``: with, without or under another prefix."""
    found = [name for name in names if name in shapes]
    for name in () if found else names:
        ends = [name.split(".", cut)[-1] for cut in (1, 2)] if "." in name else []
        found += [
            other for other in shapes if other in ends or (other.endswith("." + name) and other not in found)
        ]
    return found


def _biases(model: Any, head: Any, shapes: Shapes, rows: int) -> tuple[str, ...]:
    """Returns the biases with one number a token: the head's own, and those stored beside it (BERT, BART)."""
    wanted = [name for name, part in _named(model) if tuple(part.shape) in ((rows,), (1, rows))]
    spelled = {stored for name in wanted for stored in _stored([name], shapes)}
    heads = ("bias", "final_logits_bias")
    is_bias = [
        name for name in shapes if shapes[name] in ((rows,), (1, rows)) and name.split(".")[-1] in heads
    ]
    return tuple(sorted(spelled & set(is_bias))) if head is not None else ()


def _named(model: Any) -> list[tuple[str, Any]]:
    return [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]


def _kind(model: Any, head: Any) -> str:
    if getattr(model.config, "is_encoder_decoder", False):
        return "seq2seq"
    if head is None:
        return "encoder"
    return (
        "masked" if "MaskedLM" in type(model).__name__ or "PreTraining" in type(model).__name__ else "causal"
    )


def _check_rows(layout: Layout, shapes: Shapes, rows: int, where: str) -> None:
    for name in layout.names:
        if rows not in shapes[name]:
            raise FormatError(
                f"{name} has the shape {list(shapes[name])}, {layout.input} has {rows} rows",
                "the two must agree",
                where,
            )
