"""What a lint run says: findings with a place, a value and a way out, and the report that holds them."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tokforge.tokenizer.notebook import table_html

__all__ = ["SEVERITIES", "Finding", "LintReport", "Severity"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: dict[Severity, str] = {
    "error": "some library crashes on the file, or gives other ids or loses text without a word",
    "warning": "some library may refuse the file or read it otherwise, or a setting is easily a mistake",
    "note": "a fact worth knowing; never counted, not even by --strict",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault at one place."""

    rule: str
    """The rule's code, such as L04."""
    name: str
    severity: Severity
    file: str
    """Name of the file, such as tokenizer_config.json."""
    pointer: str
    """JSON pointer (RFC 6901) into that file; for other formats ``/tokens/3``, ``/lines/7`` and the like."""
    value: str
    """What stands there, cut to a line."""
    message: str
    hint: str
    fixable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """All findings of one artefact, worst first, then in the order of the rules and of the files."""

    path: str
    format: str
    rules: tuple[str, ...]
    """Codes of the rules that ran."""
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Returns how many findings are of ``severity``."""
        return Counter(finding.severity for finding in self.findings)[severity]

    def failed(self, *, strict: bool = False) -> bool:
        """Tells whether the answer is no: an error, or with ``strict`` a warning."""
        return bool(self.count("error") or (strict and self.count("warning")))

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        counts: list[Severity] = ["error", "warning", "note"]
        return {
            "path": self.path,
            "format": self.format,
            "rules": list(self.rules),
            "counts": {f"{severity}s": self.count(severity) for severity in counts},
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _repr_html_(self) -> str:
        rows = [(one.severity, one.rule, one.file + one.pointer, one.message) for one in self.findings]
        return table_html(["severity", "rule", "where", "what"], rows)
