"""Checks of tokenizer files: what breaks in which library, where it stands, and how to mend it.

Reading order: `report` (what is said), `rule` (what a rule is), `artefact` (the tolerant view that rules
see), `rules/` (one file a rule), `registry`, `run`, `fixes`. The module is the function, too:
``tokforge.lint(path)`` and ``tokforge.lint.fix(...)`` hold however the name was reached.
"""

import sys
from types import ModuleType

from tokforge.lint.fixes import Fixed, fix
from tokforge.lint.registry import RULES, explain
from tokforge.lint.report import Finding, LintReport
from tokforge.lint.rule import Change, Rule
from tokforge.lint.run import lint
from tokforge.lint.sarif import sarif

__all__ = ["RULES", "Change", "Finding", "Fixed", "LintReport", "Rule", "explain", "fix", "lint", "sarif"]


class _Callable(ModuleType):
    """`import tokforge.lint` binds this module to the name of the function: one object must be both."""

    __call__ = staticmethod(lint)


_module = sys.modules[__name__]
_module.__class__ = _Callable
setattr(_module, "lint", _module)  # noqa: B010  (a type checker may go on to see the function)
