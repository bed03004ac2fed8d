"""L19: A chat template whose special tokens the tokenizer lacks.

What it finds:
Texts of the form ``<|...|>`` and ``<｜...｜>`` in a chat template (tokenizer_config.json,
chat_template.jinja, a GGUF) that are no token; and the variables ``bos_token`` and ``eos_token`` where the
configuration sets none. The template is searched as text and never rendered. Other spellings (``<tools>``,
``[INST]``) are plain text as often as not, and are not judged.

Why it matters:
Such a marker is split into pieces that the model has not learned as a marker, so every turn of a chat is
framed wrongly, and stop conditions that wait for its id never fire. (No issue is cited.)

How to fix:
Add the token, or take the template that belongs to this tokenizer.
"""

import re
from collections.abc import Iterator
from typing import Any

from tokforge.lint.artefact import CONFIG, Artefact
from tokforge.lint.documents import Place, step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_MARKER = re.compile(r"<\|[^|<>\s'\"{}]{1,60}\|>|<｜[^｜<>\s'\"{}]{1,60}｜>")
_VARIABLE = re.compile(r"\b(bos_token|eos_token)\b")


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each marker and each variable of each template."""
    known = _known(artefact)
    for place, template in _templates(artefact):
        for marker in sorted(set(_MARKER.findall(template))):
            if marker not in known:
                message = f"the template writes {marker}, which is no token: it falls into pieces"
                yield RULE.finding(
                    place, marker, message, "add the token, or take the template that belongs here"
                )
        if artefact.config:
            for name in sorted(set(_VARIABLE.findall(template))):
                if step(artefact.config.value, name) is None and _is_written(template, name):
                    message = f"the template writes {name}, which {CONFIG} does not set"
                    yield RULE.finding(place, name, message, f"set {name}")


def _known(artefact: Artefact) -> set[str]:
    tokens = artefact.gguf.values.get("tokenizer.ggml.tokens") if artefact.gguf else None
    decoder = step(artefact.config.value, "added_tokens_decoder") if artefact.config else None
    later = (step(entry, "content") for entry in decoder.values()) if isinstance(decoder, dict) else ()
    return {
        *artefact.vocabulary,
        *artefact.ids.values(),
        *(tokens or ()),
        *(one for one in later if isinstance(one, str)),
    }


def _templates(artefact: Artefact) -> Iterator[tuple[Place, str]]:
    if artefact.chat_template is not None:
        yield Place("chat_template.jinja"), artefact.chat_template
    if artefact.gguf and isinstance(text := artefact.gguf.values.get("tokenizer.chat_template"), str):
        yield Place(artefact.file, "/tokenizer.chat_template"), text
    if artefact.config:
        yield from _named(
            artefact.config.place.at("chat_template"), step(artefact.config.value, "chat_template")
        )


def _named(place: Place, value: Any) -> Iterator[tuple[Place, str]]:
    """A template is a string, or a list of {name, template}."""
    if isinstance(value, str):
        yield place, value
    for number, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(text := step(entry, "template"), str):
            yield place.at(number, "template"), text


def _is_written(template: str, name: str) -> bool:
    """Tells whether the variable is put out, not only asked about (``if bos_token is defined``)."""
    written = re.compile(r"\{\{-?[^}]*\b" + name + r"\b")
    return bool(written.search(template)) and not re.search(
        rf"\b{name}\s+is\s+(not\s+)?defined|set\s+{name}", template
    )


RULE = Rule("L19", "chat-template", "warning", check, __doc__)
