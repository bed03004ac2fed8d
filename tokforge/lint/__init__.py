"""Checks of tokenizer files: what breaks in which library, where it stands, and how to mend it.

Reading order: `report` (what is said), `rule` (what a rule is), `artefact` (the tolerant view that rules
see), `rules/` (one file a rule), `registry`, `run`, `fixes`. The module is callable:
``tokforge.lint(path)`` is `lint`, however the name was reached.
"""

import sys
from types import ModuleType
from typing import Any

from tokforge.lint.fixes import Fixed, fix
from tokforge.lint.registry import RULES, explain
from tokforge.lint.report import Finding, LintReport
from tokforge.lint.rule import Change, Rule
from tokforge.lint.run import lint
from tokforge.lint.sarif import sarif

__all__ = ["RULES", "Change", "Finding", "Fixed", "LintReport", "Rule", "explain", "fix", "lint", "sarif"]


class _Callable(ModuleType):
    """`import tokforge.lint` binds this module to the name that also is the function: it must be both."""

    def __call__(self, *args: Any, **options: Any) -> LintReport:
        return lint(*args, **options)


sys.modules[__name__].__class__ = _Callable
