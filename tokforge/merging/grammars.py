"""The grammars that units can be read with: a language is one line here and one wheel in the extra."""

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["GRAMMARS", "LANGUAGE_BY_SUFFIX", "Grammar"]


class Grammar(NamedTuple):
    """Where a tree-sitter grammar is installed, and which files are in its language."""

    module: str
    """The importable name; the wheel is the same with dashes."""
    suffixes: tuple[str, ...]
    identifiers: str = r"(?:^|_)identifier(?:_pattern)?$"
    """Leaf types that are names; the default fits all grammars that keep to tree-sitter's habit."""


GRAMMARS: Mapping[str, Grammar] = {
    "python": Grammar("tree_sitter_python", (".py", ".pyi")),
    "java": Grammar("tree_sitter_java", (".java",)),
    "c": Grammar("tree_sitter_c", (".c", ".h")),
    "cpp": Grammar("tree_sitter_cpp", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx")),
    "c-sharp": Grammar("tree_sitter_c_sharp", (".cs",)),
    "javascript": Grammar("tree_sitter_javascript", (".js", ".mjs", ".cjs", ".jsx")),
}
LANGUAGE_BY_SUFFIX = {suffix: name for name, grammar in GRAMMARS.items() for suffix in grammar.suffixes}

ATOMIC = re.compile(
    r"^(?:string|template_string|interpolated_string_expression|system_lib_string|char(?:acter)?_literal"
    r"|(?:raw_|verbatim_)?string_literal)$"
)
"""Nodes that are one unit although they have children, unless code stands inside them."""
HOLES = frozenset({"interpolation", "template_substitution", "string_interpolation"})
NUMBERS = re.compile(
    r"^(?:integer|float|number|(?:number|integer|real|float)_literal"
    r"|(?:decimal|hex|octal|binary)_(?:integer|floating_point)_literal)$"
)
