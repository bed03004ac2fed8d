"""A report as SARIF 2.1.0, which code hosts and editors show beside the file.

Severities are SARIF's levels, word for word. A JSON pointer has no line, so it stands as a logical location.
Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from pathlib import PurePath, PurePosixPath
from typing import Any

from tokforge.lint.registry import RULES
from tokforge.lint.report import Finding, LintReport

__all__ = ["sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: LintReport) -> dict[str, Any]:
    """Returns the SARIF log of one report, as JSON values."""
    driver = {
        "name": "tokforge lint",
        "rules": [
            {
                "id": rule.code,
                "name": rule.name,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.section("What it finds")},
                "help": {"text": rule.section("How to fix")},
                "defaultConfiguration": {"level": rule.severity},
            }
            for rule in (RULES[code] for code in report.rules)
        ],
    }
    results = [_result(finding, report) for finding in report.findings]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(finding: Finding, report: LintReport) -> dict[str, Any]:
    path = PurePath(report.path)
    file = path if path.name == finding.file else (path.parent if path.suffix else path) / finding.file
    return {
        "ruleId": finding.rule,
        "ruleIndex": report.rules.index(finding.rule),
        "level": finding.severity,
        "message": {"text": f"{finding.message}; {finding.hint}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(file)}},
                "logicalLocations": [{"fullyQualifiedName": finding.pointer or "/"}],
            }
        ],
        "properties": {"value": finding.value, "fixable": finding.fixable},
    }


def _uri(file: PurePath) -> str:
    """Returns a URI reference: a path's spaces and letters beyond ASCII are no part of one as they stand."""
    rooted = PurePosixPath("/", file.as_posix()).as_uri()
    return rooted if file.is_absolute() else rooted.removeprefix("file:///")
