"""What a rule is: a code, a name, a severity, a check, a page, and sometimes a fix."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tokforge.lint.artefact import Artefact, Place
from tokforge.lint.report import Finding, Severity
from tokforge.tokenizer.display import quoted

__all__ = ["HEADINGS", "Change", "Documents", "Fix", "Rule"]

HEADINGS = ("What it finds", "Why it matters", "How to fix")
"""The three headings of every rule's page, in this order."""

Documents = dict[str, Any]
"""File name -> parsed JSON, free to be changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of a fix: where, and what became of it."""

    rule: str
    file: str
    pointer: str
    what: str


@dataclass(frozen=True, slots=True)
class Fix:
    """An automatic repair. ``edit`` changes the documents in place and says what it changed.

    ``keeps_ids`` is a promise that is checked: where Hugging Face loads the original, the fixed file must
    give the same ids on the probes, or the fix is refused. Without it the differences are listed.
    ``renumbers`` says that tokens stay and only their ids change: then tokens are compared.
    """

    edit: Callable[[Artefact, Documents], Iterable[Change]]
    keeps_ids: bool
    renumbers: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``page`` is the docstring of its module."""

    code: str
    name: str
    severity: Severity
    check: Callable[[Artefact], Iterable[Finding]]
    page: str
    fix: Fix | None = None

    @property
    def title(self) -> str:
        """The first line of the page, without the code."""
        return self.page.strip().splitlines()[0].partition(": ")[2].rstrip(".")

    def section(self, heading: str) -> str:
        """Returns the text under one of `HEADINGS`."""
        parts = re.split(rf"^({'|'.join(HEADINGS)}):\n", self.page, flags=re.MULTILINE)
        return parts[parts.index(heading) + 1].strip()

    def finding(
        self,
        place: Place,
        value: object,
        message: str,
        hint: str,
        *,
        severity: Severity | None = None,
        fixable: bool | None = None,
    ) -> Finding:
        """Returns a finding of this rule; ``severity`` where a case is milder or worse than the rule."""
        return Finding(
            rule=self.code,
            name=self.name,
            severity=severity or self.severity,
            file=place.file,
            pointer=place.pointer,
            value=_shown(value),
            message=message,
            hint=hint,
            fixable=bool(self.fix) if fixable is None else fixable,
        )


def _shown(value: object) -> str:
    """Returns a value on one line: short text as it is, all else quoted and cut."""
    plain = isinstance(value, str) and len(value) <= 60 and value.isprintable()
    return str(value) if plain else quoted(value)
