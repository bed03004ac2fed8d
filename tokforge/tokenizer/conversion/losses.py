"""What a format has no place for: named before the conversion is trusted."""

import json
from collections.abc import Iterator
from pathlib import Path

from tokforge.tokenizer.conversion.result import Finding
from tokforge.tokenizer.files import Loaded

__all__ = ["left_behind"]

_WITHOUT_SPECIALS = ("tiktoken",)
_WITH_ROLES = {
    "hf": ("bos", "eos", "pad", "unk", "mask", "sep", "cls"),
    "tokforge": ("bos", "eos", "pad", "unk", "mask", "sep", "cls"),
    "vocab-merges": ("bos", "eos", "pad", "unk", "mask", "sep", "cls"),
    "sentencepiece": ("bos", "eos", "pad", "unk"),
    "tekken": ("bos", "eos", "pad", "unk"),
}
"""Format -> roles that it, or the file beside it, says; the others say none."""

_WITH_FLAGS = ("hf", "tokforge", "bbpe", "bbpe-latin1")
_FLAGS = ("lstrip", "rstrip", "normalized", "single_word")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")


def left_behind(loaded: Loaded, to: str) -> list[Finding]:
    """Returns what the format ``to`` cannot say of the tokenizer, one finding each."""
    messages = [*_tokens(loaded, to), *_sections(loaded, to), *_templates(loaded.path)]
    return [Finding("left_behind", message) for message in messages]


def _tokens(loaded: Loaded, to: str) -> Iterator[str]:
    added = loaded.tokenizer.added_tokens
    if to in _WITHOUT_SPECIALS and added:
        shown = ", ".join(f"{token.text}={token.id}" for token in added[:20])
        more = f" and {len(added) - 20} more" if len(added) > 20 else ""
        yield f"special tokens are not in the file; give them by --special when it is read: {shown}{more}"
        return
    for token in added:
        lost = [role for role in token.roles if role not in _WITH_ROLES.get(to, ())]
        if lost:
            yield f"the role {', '.join(lost)} of {token.text} has no place in the file"
        flags = [flag for flag in _FLAGS if getattr(token, flag)] if to not in _WITH_FLAGS else []
        if flags:
            yield f"{', '.join(flags)} of {token.text} has no place in the file"


def _sections(loaded: Loaded, to: str) -> Iterator[str]:
    if to in ("hf", "tokforge", "bbpe", "bbpe-latin1"):
        return
    for section, _ in loaded.tokenizer.pipeline.preserved:
        yield f"{section} has no place in the file: tokens that the library adds around a text are not added"


def _templates(path: Path) -> Iterator[str]:
    """Chat templates stand beside a tokenizer; they are text that belongs to the model, and are not moved."""
    for name in _TEMPLATES:
        if path.with_name(name).is_file():
            yield f"{name} is not copied: copy it beside the output yourself"
    config = path.with_name("tokenizer_config.json")
    if config.is_file() and _holds_template(config):
        yield "the chat_template in tokenizer_config.json is not copied: copy it beside the output yourself"


def _holds_template(config: Path) -> bool:
    try:
        content = json.loads(config.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False  # it decides nothing here, and the reader has said what is wrong with it where it does
    return isinstance(content, dict) and content.get("chat_template") is not None
