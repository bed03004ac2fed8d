"""config.json, generation_config.json and the chat template after a change of tokenizer.

Ids in the settings are moved by role, else to the new id whose row is a copy of the old id's; what has no
new id is dropped and noted. A template is kept only if every special token it writes is one id.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError
from tokforge.tokenizer.display import quoted
from tokforge.transplant.alignment import Alignment

__all__ = ["Settings", "markers", "new_settings"]

_TEXT_PARTS = ("text_config", "decoder", "encoder")
_TEMPLATE, _CONFIG = "chat_template.jinja", "tokenizer_config.json"
_TOKENIZER_FILES = (
    *("tokenizer.json", _CONFIG, "special_tokens_map.json", "added_tokens.json", _TEMPLATE, "vocab.json"),
    *("merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json"),
    *("tokenizer.tokforge.json", "additional_chat_templates", "tokenizer_config.json"),
)


@dataclass(frozen=True)
class Settings:
    """Small files of the new folder, and what had to be left out."""

    files: Mapping[str, bytes]
    template: str
    """Where the chat template comes from: ``new``, ``old`` or ``none``."""
    notes: tuple[str, ...]
    replaced: frozenset[str] = field(default=frozenset(_TOKENIZER_FILES))
    """Files of the old folder that must not be copied."""


def new_settings(folder: Path, config: Mapping[str, Any], alignment: Alignment, policy: str) -> Settings:
    """Returns the tokenizer's files and the rewritten settings for a transplanted model.

    ``policy`` is the chat template's: see `TransplantConfig`. Raises ConfigError where ``old`` or ``new``
    is asked for and cannot be.
    """
    notes: list[str] = []
    files = _tokenizer_files(alignment, config)
    template, origin = _template(alignment, policy, notes)
    if template is not None:
        files[_TEMPLATE] = template.encode()
    files["config.json"] = _as_json(_moved(config, alignment, notes, rows=alignment.rows))
    generation = folder / "generation_config.json"
    if generation.is_file():
        files[generation.name] = _as_json(_moved(json.loads(generation.read_bytes()), alignment, notes))
    return Settings(files, origin, tuple(dict.fromkeys(notes)))


def _tokenizer_files(alignment: Alignment, config: Mapping[str, Any]) -> dict[str, bytes]:
    """The target's files, byte for byte; a tokenizer_config.json is made only where it has none."""
    new = alignment.new
    files = {"tokenizer.json": new.data}
    for name in _TOKENIZER_FILES:
        path = new.source.with_name(name)
        if path.is_file() and name not in ("tokenizer.json", _TEMPLATE):
            files[name] = path.read_bytes()
    if _CONFIG not in files:
        roles = {f"{role}_token": new.added[i] for role, i in new.roles.items()}
        longest = (
            {"model_max_length": config["max_position_embeddings"]}
            if "max_position_embeddings" in config
            else {}
        )
        made = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        files[_CONFIG] = _as_json(made | longest | roles)
    return files


def _template(alignment: Alignment, policy: str, notes: list[str]) -> tuple[str | None, str]:
    old, new = alignment.old, alignment.new
    if policy == "none":
        return None, "none"
    if new.chat_template is not None and policy in ("auto", "new"):
        return new.chat_template, "new"
    if policy == "new":
        raise ConfigError(
            "the new tokenizer has no chat template", "use --chat-template old or none", "--chat-template"
        )
    if old.chat_template is None:
        return None, "none"
    lacking = [
        text for text in markers(old.chat_template, old.added.values()) if text not in new.added.values()
    ]
    if not lacking:
        return old.chat_template, "old"
    problem = (
        f"the old chat template writes {', '.join(map(quoted, lacking))}, no single id of the new tokenizer"
    )
    if policy == "old":
        raise ConfigError(
            problem, "add them with `tokforge edit add --special`, or drop the template", "--chat-template"
        )
    notes.append(f"{problem}: the template is left out")
    return None, "none"


def markers(template: str, texts: Sequence[str] | Any) -> list[str]:
    """Returns which of the special tokens' texts stand in a template."""
    return [text for text in texts if len(text) > 1 and text in template]


def _moved(
    config: Mapping[str, Any], alignment: Alignment, notes: list[str], rows: int | None = None
) -> dict[str, Any]:
    """Returns settings whose token ids are new ones."""
    moved: dict[str, Any] = {}
    for name, value in config.items():
        if name in _TEXT_PARTS and isinstance(value, dict):
            moved[name] = _moved(value, alignment, notes, rows)
        elif name == "vocab_size" and rows is not None:
            moved[name] = rows
        elif name.endswith(("_token_id", "_token_ids")) or name in (
            "suppress_tokens",
            "begin_suppress_tokens",
        ):
            moved[name] = _ids(name, value, alignment, notes)
        elif name == "bad_words_ids":
            notes.append("bad_words_ids is dropped: its words are other ids now")
        else:
            moved[name] = value
    return moved


def _ids(name: str, value: Any, alignment: Alignment, notes: list[str]) -> Any:
    if value is None:
        return None
    old = value if isinstance(value, list) else [value]
    found = [new for new in (_new_id(name, i, alignment) for i in old) if new is not None]
    if len(found) < len(old):
        notes.append(f"{name} {value} has no counterpart" + (" in part" if found else ""))
    found = list(dict.fromkeys(found))
    return found if isinstance(value, list) else next(iter(found), None)


def _new_id(name: str, old_id: int, alignment: Alignment) -> int | None:
    """The new token that took the old one's row; where several did, or none, the holder of the role."""
    takers = [i for i in range(len(alignment.new)) if alignment.origins[i] == old_id]
    role = alignment.new.roles.get(name.split("_token_id")[0])
    if role is not None and (
        role in takers or not takers or alignment.old.roles.get(name.split("_")[0]) == old_id
    ):
        return role
    return takers[0] if takers else None


def _as_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
