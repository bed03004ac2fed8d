"""The ids and texts of special tokens inside a pipeline's preserved JSON, renumbered and renamed.

Places known (huggingface/tokenizers, processors and utils/padding.rs): TemplateProcessing's
``special_tokens`` (ids, tokens, key) and its pieces, BertProcessing's and RobertaProcessing's ``sep`` and
``cls`` pairs, Sequence's inner processors, and the padding's ``pad_id`` and ``pad_token``.
A stale id here changes what a model reads without any error (skeletoken #93).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tokforge.errors import ConfigError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.model import Pipeline
from tokforge.tokenizer.normalizers import SentencePiece

__all__ = ["move_pipeline", "referenced_ids"]


def move_pipeline(
    pipeline: Pipeline,
    id_map: IdMap,
    names: Mapping[str, str] | None = None,
    gone: frozenset[str] = frozenset(),
) -> Pipeline:
    """Returns ``pipeline`` with its ids mapped, texts renamed by ``names``, and texts in ``gone`` forgotten.

    Raises ConfigError if it needs an id that is gone.
    """
    mover = _Mover(id_map, dict(names or {}))
    moved = tuple((section, mover.section(section, text)) for section, text in pipeline.preserved)
    steps = tuple(
        replace(step, user_defined=tuple(text for text in step.user_defined if text not in gone))
        if isinstance(step, SentencePiece)
        else step
        for step in pipeline.normalizers
    )
    return replace(pipeline, preserved=moved, normalizers=steps)


def referenced_ids(pipeline: Pipeline) -> dict[int, str]:
    """Returns id -> the section that names it."""
    found: dict[int, str] = {}
    for section, text in pipeline.preserved:
        watcher = _Watcher()
        watcher.section(section, text)
        found |= dict.fromkeys(watcher.seen, section)
    return found


@dataclass
class _Mover:
    """Walks one section; every id and every name goes through `id` and `name`."""

    id_map: IdMap
    names: Mapping[str, str]

    def section(self, section: str, text: str) -> str:
        walk: dict[str, Callable[[Any], Any]] = {"post_processor": self._processor, "padding": self._padding}
        if section not in walk:
            return text
        try:
            return json.dumps(walk[section](json.loads(text)), ensure_ascii=False)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"the {section} is not as Hugging Face writes it", "correct it, or drop it", section
            ) from error

    def id(self, old: int) -> int:
        if type(old) is not int:
            raise TypeError(old)
        if not 0 <= old < self.id_map.old_vocab_size:
            return old  # it was stale before: not ours to guess
        new = int(self.id_map.new_of_old[old])
        if new < 0:
            raise ConfigError(f"id {old} is used by the tokenizer's own JSON", "keep the token")
        return new

    def name(self, old: str) -> str:
        return self.names.get(old, old)

    def _padding(self, padding: Any) -> Any:
        if padding is None:
            return None
        return {**padding, "pad_id": self.id(padding["pad_id"]), "pad_token": self.name(padding["pad_token"])}

    def _processor(self, node: Any) -> Any:
        if node is None:
            return None
        match node["type"]:
            case "Sequence":
                return {**node, "processors": [self._processor(inner) for inner in node["processors"]]}
            case "TemplateProcessing":
                return self._template(node)
            case "BertProcessing" | "RobertaProcessing":
                pairs = {key: [self.name(node[key][0]), self.id(node[key][1])] for key in ("sep", "cls")}
                return {**node, **pairs}
        return node

    def _template(self, node: Any) -> Any:
        specials = {self.name(key): self._special(one) for key, one in node["special_tokens"].items()}
        pieces = {key: [self._piece(piece) for piece in node[key]] for key in ("single", "pair")}
        return {**node, **pieces, "special_tokens": specials}

    def _special(self, one: Any) -> Any:
        ids, tokens = [self.id(i) for i in one["ids"]], [self.name(token) for token in one["tokens"]]
        return {**one, "id": self.name(one["id"]), "ids": ids, "tokens": tokens}

    def _piece(self, piece: Any) -> Any:
        if "SpecialToken" not in piece:
            return piece
        inner = piece["SpecialToken"]
        return {"SpecialToken": {**inner, "id": self.name(inner["id"])}}


class _Watcher(_Mover):
    """Notes the ids on the way and changes nothing."""

    def __init__(self) -> None:
        super().__init__(IdMap.identity(0), {})
        self.seen: list[int] = []

    def id(self, old: int) -> int:
        if type(old) is not int:
            raise TypeError(quoted(old))
        self.seen.append(old)
        return old
