"""Units by tree-sitter: the leaves of the syntax tree, with string literals whole and comments left out.

Invariant: leaves come in the order of the text and do not overlap, so units are sorted. Inside an ERROR
node the leaves still are what the lexer saw, so they stay units; a MISSING leaf is empty and is none.
Complexity: O(nodes), without recursion: generated code nests deeper than Python's stack.
"""

import re
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from tokforge.errors import InputError, MissingExtraError, pick
from tokforge.merging.grammars import ATOMIC, GRAMMARS, HOLES, NUMBERS
from tokforge.merging.units import Kind, Offsets, SpanProvider, Units

__all__ = ["tree_sitter_units"]

_SKIP, _DESCEND = -1, -2


def tree_sitter_units(language: str) -> SpanProvider:
    """Returns a provider for ``language``.

    Raises UnknownNameError for a language without a grammar, MissingExtraError if it is not installed.
    """
    grammar = pick("language", language, GRAMMARS)
    parser, kinds = _parser(language), _Kinds(grammar.identifiers)

    def provide(text: str) -> Units:
        data = _encoded(text)
        tree = parser.parse(data)
        starts, ends, found, errors = _leaves(tree.walk(), kinds)
        units = Units(
            starts=np.array(starts, np.int64),
            ends=np.array(ends, np.int64),
            kinds=np.array(found, np.int8),
            parse_errors=errors,
        )
        return units if len(data) == len(text) else _in_characters(units, data)

    return provide


def _encoded(text: str) -> bytes:
    """Returns the UTF-8 of ``text``; raises InputError for a lone surrogate, which has none."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"character {error.start} is a lone surrogate, which is no text", "decode the file as UTF-8"
        ) from error


@cache
def _parser(language: str) -> Any:
    module = GRAMMARS[language].module
    try:
        binding, grammar = import_module("tree_sitter"), import_module(module)
        return binding.Parser(binding.Language(grammar.language()))
    except ImportError as error:
        raise MissingExtraError(
            f"the grammar of {language} is not installed",
            f"pip install 'tokforge[merging]', or pip install {module.replace('_', '-')}",
        ) from error


class _Kinds(dict[str, int]):
    """Node type -> kind of a leaf; each type is matched once."""

    def __init__(self, identifiers: str) -> None:
        super().__init__()
        self._identifiers = re.compile(identifiers)

    def __missing__(self, node_type: str) -> int:
        if self._identifiers.search(node_type):
            kind = Kind.IDENTIFIER
        elif ATOMIC.search(node_type):
            kind = Kind.STRING
        else:
            kind = Kind.NUMBER if NUMBERS.search(node_type) else Kind.OTHER
        self[node_type] = kind
        return kind


def _leaves(cursor: Any, kinds: _Kinds) -> tuple[list[int], list[int], list[int], int]:
    """Returns the byte starts, byte ends and kinds of all leaves, and how often the text does not parse."""
    starts: list[int] = []
    ends: list[int] = []
    found: list[int] = []
    errors, more = 0, True
    while more:
        node = cursor.node
        errors += node.is_error or node.is_missing
        kind = _kind(node, kinds)
        if kind >= 0:
            starts.append(node.start_byte)
            ends.append(node.end_byte)
            found.append(kind)
        more = (kind == _DESCEND and cursor.goto_first_child()) or _next(cursor)
    return starts, ends, found, errors


def _kind(node: Any, kinds: _Kinds) -> int:
    """Returns the kind of a unit, or whether to look inside the node or past it."""
    if node.child_count:
        whole = kinds[node.type] == Kind.STRING and not node.is_extra
        if whole and not any(child.type in HOLES for child in node.children):
            return Kind.STRING
        return _SKIP if node.is_extra and not node.is_error else _DESCEND
    if node.is_extra or node.is_error or node.is_missing or node.start_byte == node.end_byte:
        return _SKIP
    return kinds[node.type]


def _next(cursor: Any) -> bool:
    while not cursor.goto_next_sibling():
        if not cursor.goto_parent():
            return False
    return True


def _in_characters(units: Units, data: bytes) -> Units:
    """Turns byte offsets into characters: before byte b stand as many characters as lead bytes."""
    leads = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    before: Offsets = np.concatenate(([0], np.cumsum(leads, dtype=np.int64)))
    return Units(
        starts=before[units.starts],
        ends=before[units.ends],
        kinds=units.kinds,
        parse_errors=units.parse_errors,
    )
