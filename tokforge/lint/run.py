"""Runs rules over an artefact."""

import os
from collections.abc import Iterable

from tokforge.lint.artefact import Artefact, read_artefact
from tokforge.lint.registry import RULES, select_rules
from tokforge.lint.report import SEVERITIES, Finding, LintReport
from tokforge.lint.rule import Rule
from tokforge.tokenizer.locations import locate

__all__ = ["lint", "run_rules"]


def lint(
    path: str | os.PathLike[str], *, select: Iterable[str] | None = None, ignore: Iterable[str] | None = None
) -> LintReport:
    """Checks the tokenizer at ``path``, a file or a folder, and changes nothing.

    Read are tokenizer.json with its companions, vocab.json with merges.txt, tiktoken ranks, tekken.json,
    SentencePiece models and the vocabulary of a GGUF. Nothing in them is run or rendered, and nothing that
    they name is fetched.

    Args:
        path: The file, or the folder that holds it; ``pkg:package/path``; ``hf:owner/name``, fetched.
        select: Codes or names of rules to run; all if not set.
        ignore: Codes or names of rules to leave out.

    Raises:
        InputError, FormatError, ConfigError: the file cannot be read, or is of no known format.
        UnknownNameError: a word names no rule.
    """
    rules = select_rules(select, ignore)
    return run_rules(read_artefact(locate(os.fspath(path))), rules, os.fspath(path))


def run_rules(artefact: Artefact, rules: Iterable[Rule], path: str) -> LintReport:
    """Returns what ``rules`` find in ``artefact``, worst first; ``path`` is its name in the report."""
    rules = list(rules)
    findings = [finding for rule in rules for finding in rule.check(artefact)]
    return LintReport(
        path=path,
        format=artefact.format,
        rules=tuple(rule.code for rule in rules),
        findings=tuple(sorted(findings, key=_order)),
    )


def _order(finding: Finding) -> tuple[int, int]:
    return list(SEVERITIES).index(finding.severity), list(RULES).index(finding.rule)
