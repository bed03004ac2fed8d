"""Units without a grammar: by Pygments' lexers, or by white space.

Pygments knows hundreds of languages and never fails to parse; its names are coarser than tree-sitter's,
so a dotted name is cut at its dots. `get_tokens_unprocessed` is used, because `get_tokens` rewrites line ends
and with them every offset.
"""

import re
from importlib import import_module
from typing import Any

from tokforge.errors import MissingExtraError, UnknownNameError
from tokforge.merging.grammars import GRAMMARS
from tokforge.merging.units import Kind, SpanProvider, Units, units_from

__all__ = ["provider_for", "pygments_units", "word_units"]

_PART = re.compile(r"[\w$]+")
_WORD = re.compile(r"\S+")


def word_units(text: str) -> Units:
    """Returns the runs of ``text`` between white space."""
    return units_from([(*found.span(), Kind.WORD) for found in _WORD.finditer(text)])


def pygments_units(language: str) -> SpanProvider:
    """Returns a provider by the Pygments lexer named ``language``.

    Raises UnknownNameError if there is none, MissingExtraError without Pygments.
    """
    try:
        lexers, util = import_module("pygments.lexers"), import_module("pygments.util")
    except ImportError as error:
        raise MissingExtraError("pygments is not installed", "pip install 'tokforge[merging]'") from error
    try:
        lexer = lexers.get_lexer_by_name(language)
    except util.ClassNotFound as error:
        raise UnknownNameError(
            f"language has no {language!r}",
            f"use one of: {', '.join(GRAMMARS)}; or any lexer's name that Pygments knows",
        ) from error

    def provide(text: str) -> Units:
        spans: list[tuple[int, int, int]] = []
        errors = 0
        # Some lexers know a comment by its line end, so the text must have one.
        for start, kind, value in lexer.get_tokens_unprocessed(text + "\n"):
            errors += kind[:1] == ("Error",)
            spans += _spans(start, kind, value)
        return units_from(spans, errors)

    return provide


def _spans(start: int, kind: Any, value: str) -> list[tuple[int, int, int]]:
    first, second = (*kind, "", "")[:2]
    if first == "Name":
        parts = (found.span() for found in _PART.finditer(value))
        return [(start + begin, start + end, Kind.IDENTIFIER) for begin, end in parts]
    core = value.strip()
    if first in ("Text", "Comment", "Error", "") or not core:
        return []
    begin = start + value.index(core)
    unit = {"String": Kind.STRING, "Number": Kind.NUMBER}.get(second, Kind.OTHER)
    return [(begin, begin + len(core), unit)]


def provider_for(language: str | None, policy: str) -> SpanProvider:
    """Returns the best provider: white space for ``words``, a grammar if there is one, else Pygments.

    Raises UnknownNameError as `pygments_units`, and without a language where one is needed.
    """
    if policy in ("words", "none"):
        return word_units
    if language is None:
        raise UnknownNameError("no language is named", f"use one of: {', '.join(GRAMMARS)}", "language")
    if language in GRAMMARS:
        from tokforge.merging.tree_sitter_units import tree_sitter_units

        return tree_sitter_units(language)
    return pygments_units(language)
