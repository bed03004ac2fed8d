"""What merging would save on somebody's files, without training or running a model.

Definition: each file is cut into windows of the model's length as it would be without merging; a window of n
tokens that merge to m rows costs what `flops` says for both. One parse of a file serves every policy.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, FormatError, InputError, UnknownNameError
from tokforge.inputs import Document, Progress, documents, open_sources
from tokforge.merging.encode import encode_for_plan
from tokforge.merging.flops import encoder_flops, shape_of
from tokforge.merging.grammars import GRAMMARS, LANGUAGE_BY_SUFFIX
from tokforge.merging.other_units import provider_for, word_units
from tokforge.merging.plan import MAX_UNIT, plan_tokens
from tokforge.merging.units import Kind, SpanProvider, kinds_of

__all__ = ["POLICIES", "Estimate", "LanguageEstimate", "PolicyEstimate", "estimate"]

POLICIES = ("identifiers", "identifiers+strings", "identifiers+strings+numbers", "leaves")


@dataclass(kw_only=True, slots=True)
class PolicyEstimate:
    """What one policy would save in one language."""

    rows: int = 0
    """Tokens after merging."""
    reduction: float = 0.0
    """Share of the tokens that merging takes away."""
    flops_saved: float = 0.0
    """Share of the layers' operations that it saves, the merger's own counted."""
    straddling_tokens: int = 0
    too_long_units: int = 0


@dataclass(kw_only=True, slots=True)
class LanguageEstimate:
    """All files of one language."""

    files: int = 0
    bytes: int = 0
    tokens: int = 0
    files_with_parse_errors: int = 0
    parse_errors: int = 0
    identifier_token_share: float = 0.0
    """Tokens within identifiers, of all tokens."""
    policies: dict[str, PolicyEstimate] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What `estimate` found."""

    model: str
    at_layer: int
    layers: int
    window: int
    max_unit: int
    languages: dict[str, LanguageEstimate]
    skipped: tuple[dict[str, str], ...]
    """Files that were not measured, and why."""
    seconds: dict[str, float]
    """``tokenize``, ``parse`` and ``align``."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


class _Sums:
    """Lengths of the windows of one language, kept as numbers until the end."""

    def __init__(self, policies: Sequence[str]) -> None:
        self.figures = LanguageEstimate(policies={policy: PolicyEstimate() for policy in policies})
        self.tokens: list[int] = []
        self.rows: dict[str, list[int]] = {policy: [] for policy in policies}
        self.in_identifiers = 0


def estimate(
    paths: Sequence[str | Path],
    model: str | Path,
    *,
    units: Sequence[str] = POLICIES,
    at_layer: int = 0,
    window: int | None = None,
    language: str | None = None,
    max_unit: int = MAX_UNIT,
    progress: Progress | None = None,
) -> Estimate:
    """Estimates what merging would save on files and folders.

    Args:
        model: a folder with the model's config.json and its tokenizer.
        units: policies, as for `plan_for`.
        window: tokens that the model reads at once; its number of positions, or 512, if not given.
        language: of all files; by default each file's own, by its suffix.

    Raises:
        InputError: a file cannot be read, the folder lacks one, or no file is in a known language.
        FormatError: config.json is none. UnknownNameError: of a policy or language.
        ConfigError: the model has fewer layers than ``at_layer``.
    """
    config, tokenizer = _config(Path(model)), _tokenizer(Path(model))
    shape = shape_of(config)
    window = window or min(shape.window or 512, 512)
    if not 0 <= at_layer < shape.layers or window < 1 or max_unit < 1:
        raise ConfigError(
            f"at_layer is {at_layer}, window {window}, max_unit {max_unit}",
            f"use a layer from 0 to {shape.layers - 1}, and 1 or more for the others",
        )
    needed = {policy: kinds_of(policy) for policy in units}
    sums: dict[str, _Sums] = {}
    sources = open_sources([str(path) for path in paths])
    skipped = [remark.as_dict() for source in sources for remark in source.skipped]
    seconds = dict.fromkeys(("tokenize", "parse", "align"), 0.0)
    for document in documents(sources, progress=progress):
        name = language or LANGUAGE_BY_SUFFIX.get(Path(document.path).suffix.lower())
        reason = None if name else f"its suffix names none of {', '.join(GRAMMARS)}"
        if name:
            into = sums.setdefault(name, _Sums(units))
            reason = _measure(document, tokenizer, name, needed, window, max_unit, into, seconds)
        if reason:
            skipped.append({"path": document.path, "reason": reason})
    languages = {
        name: _figures(found, config, at_layer) for name, found in sorted(sums.items()) if found.figures.files
    }
    if not languages:
        raise InputError(
            "no file is in a known language", "name it with --language", ", ".join(map(str, paths))
        )
    return Estimate(
        model=str(model),
        at_layer=at_layer,
        layers=shape.layers,
        window=window,
        max_unit=max_unit,
        languages=languages,
        skipped=tuple(skipped),
        seconds=seconds,
    )


def _measure(
    document: Document,
    tokenizer: Any,
    language: str,
    needed: Mapping[str, frozenset[Kind]],
    window: int,
    max_unit: int,
    into: _Sums,
    seconds: dict[str, float],
) -> str | None:
    """Adds one file to the sums; returns why it could not be, if so."""
    try:
        text = bytes(document.data).decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    clock = [perf_counter()]
    ids, offsets = encode_for_plan(text, tokenizer)
    clock.append(perf_counter())
    provider: SpanProvider = provider_for(language, "leaves")
    leaves = provider(text)
    clock.append(perf_counter())
    figures, at = into.figures, np.arange(len(ids))
    cuts = np.unique(np.append(np.arange(0, len(ids), window), len(ids)))
    into.tokens += np.diff(cuts).tolist()
    for policy, kinds in needed.items():
        units = word_units(text) if policy == "words" else leaves.keep(kinds)
        plan = plan_tokens(text, ids, offsets, units, max_unit)
        starts = np.append(True, np.diff(plan.segment_ids) != 0)[: len(ids)] | (at % window == 0)
        into.rows[policy] += np.add.reduceat(starts.astype(np.int64), cuts[:-1]).tolist()
        figures.policies[policy].straddling_tokens += plan.counts.straddling_tokens
        figures.policies[policy].too_long_units += plan.counts.too_long_units
    names = leaves.keep(kinds_of("identifiers"))
    into.in_identifiers += _within(offsets, names.starts, names.ends)
    clock.append(perf_counter())
    for phase, spent in zip(seconds, np.diff(clock), strict=True):
        seconds[phase] += float(spent)
    figures.files += 1
    figures.bytes += len(document.data)
    figures.parse_errors += leaves.parse_errors
    figures.files_with_parse_errors += leaves.parse_errors > 0
    return None


def _within(
    offsets: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> int:
    """Counts the tokens whose last character lies in a unit: a leading space does not count against them."""
    if not len(starts):
        return 0
    last = offsets[:, 1] - 1
    unit = np.searchsorted(starts, last, "right") - 1
    return int(((unit >= 0) & (last < ends[unit]) & (offsets[:, 0] <= last)).sum())


def _figures(sums: _Sums, config: Mapping[str, Any], at_layer: int) -> LanguageEstimate:
    figures = sums.figures
    figures.tokens = sum(sums.tokens)
    figures.identifier_token_share = sums.in_identifiers / max(figures.tokens, 1)
    whole = encoder_flops(config, sums.tokens)
    for policy, found in figures.policies.items():
        rows = sums.rows[policy]
        found.rows = sum(rows)
        found.reduction = 1 - found.rows / max(figures.tokens, 1)
        found.flops_saved = (
            1 - encoder_flops(config, sums.tokens, rows, at_layer=at_layer) / whole if whole else 0.0
        )
    return figures


def _config(model: Path) -> Mapping[str, Any]:
    path = model / "config.json"
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        hint = "give a folder with config.json and the tokenizer's files"
        raise InputError(f"cannot be read: {error.strerror}", hint, str(path)) from error
    except ValueError as error:
        raise FormatError(f"is no JSON: {error}", "write it again with save_pretrained", str(path)) from error
    if not isinstance(content, dict):
        raise FormatError("holds no object", "write it again with save_pretrained", str(path))
    if content.get("model_type") not in _KNOWN:
        raise UnknownNameError(
            f"model_type is {content.get('model_type')!r}", f"use one of: {', '.join(_KNOWN)}", str(path)
        )
    return content


_KNOWN = ("bert", "llama", "modernbert", "roberta", "t5", "xlm-roberta")


def _tokenizer(model: Path) -> Any:
    """Loads tokenizer.json with Hugging Face's library, which knows every offset; else by our own readers."""
    path = model / "tokenizer.json"
    if not path.is_file():
        from tokforge.tokenizer import Tokenizer

        return Tokenizer.load(model)
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise FormatError(f"is no tokenizer: {error}", "tokforge lint says where", str(path)) from error
