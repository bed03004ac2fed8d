"""``tokforge lint``: what is wrong with a tokenizer file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge.outputs import check_output, write_files
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._options import Config, Force, Json, Quiet
from tokforge_cli._output import emit

EXAMPLES = """
tokforge lint tokenizer.json
tokforge lint model-folder --strict --ignore L17
tokforge lint model-folder --fix -o mended-folder
tokforge lint tokenizer.json --sarif lint.sarif
tokforge lint --explain L04
"""
RULES = "Rules"
FIXES = "Fixes"


def lint(
    tokenizer: Annotated[
        str | None,
        typer.Argument(
            metavar="TOKENIZER",
            help="A tokenizer.json, vocab.json, tekken.json, tiktoken ranks, SentencePiece .model, GGUF, "
            "or the folder of one; pkg:package/path; hf:owner/name.",
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Run these rules alone: L04, or names.", rich_help_panel=RULES),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave these rules out.", rich_help_panel=RULES)
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count as errors.", rich_help_panel=RULES)
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Show a rule's page.", rich_help_panel=RULES)
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write a mended copy to --output; fixes that change ids need --select.",
            rich_help_panel=FIXES,
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Where the mended copy goes: a file for a file, a folder for a folder.",
            rich_help_panel=FIXES,
        ),
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the findings as SARIF 2.1.0.")
    ] = None,
    force: Force = False,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a tokenizer for what breaks in some library; exit code 1 if there are errors."""
    from tokforge.lint import explain as page_of
    from tokforge.lint import lint as check
    from tokforge.lint import sarif as as_sarif

    if explain is not None:
        emit({"rule": explain, "page": page_of(explain)}, page_of(explain).rstrip(), as_json=as_json)
        return
    if tokenizer is None:
        raise UsageProblem("TOKENIZER is missing", "see tokforge lint --help", "lint")
    if sarif is not None:
        check_output(sarif, force=force, inputs=[tokenizer, *tokenizer_files(tokenizer)])
    rules = (_words(select), _words(ignore))
    fixed = _fixed(tokenizer, output, rules, force) if fix or output else None
    report = fixed.remaining if fixed else check(tokenizer, select=rules[0], ignore=rules[1])
    if sarif is not None:
        write_files({sarif: json.dumps(as_sarif(report), indent=2) + "\n"}, force=force)
    result = {**report.as_dict(), "fixed": fixed.as_dict() if fixed else None}
    emit(result, summary(result, quiet=quiet), as_json=as_json)
    if report.failed(strict=strict):
        raise typer.Exit(1)


def _fixed(tokenizer: str, output: Path | None, rules: tuple[list[str], list[str]], force: bool) -> Any:
    from tokforge.lint import fix

    if output is None:
        raise UsageProblem("--fix needs a place for the copy", "name it with --output", "lint")
    return fix(tokenizer, output, select=rules[0], ignore=rules[1], force=force)


def _words(options: list[str] | None) -> list[str]:
    """Reads ``L04,L05``, repeated or not."""
    return [word for option in options or () for word in option.split(",") if word]


def summary(result: Mapping[str, Any], *, quiet: bool) -> str:
    """Lays out the fixes, the findings (without notes if quiet) and their counts."""
    fixed = result["fixed"]
    lines = [_change(one) for one in fixed["changes"]] + [_ids(one) for one in fixed["ids"]] if fixed else []
    for finding in result["findings"]:
        if not (quiet and finding["severity"] == "note"):
            lines += _finding(finding)
    counts = ", ".join(f"{n} {name if n != 1 else name[:-1]}" for name, n in result["counts"].items())
    return "\n".join([*lines, f"{result['path']} ({result['format']}): {counts}"])


def _finding(finding: Mapping[str, Any]) -> list[str]:
    mark = " [fixable]" if finding["fixable"] else ""
    place = f"{finding['file']}{'#' if finding['pointer'] else ''}{finding['pointer']}"
    return [
        f"{finding['severity']} {finding['rule']} {finding['name']}{mark}: {place}",
        f"  {finding['message']}",
        f"  value: {finding['value']}",
        f"  hint: {finding['hint']}",
        "",
    ]


def _change(change: Mapping[str, Any]) -> str:
    return f"fixed {change['rule']}: {change['file']}#{change['pointer']}: {change['what']}"


def _ids(compared: Mapping[str, Any]) -> str:
    words = {
        "equal": f"{compared['compared']} are equal on {compared['probes']} probes",
        "changed": f"{compared['compared']} change, first on {compared['example']}",
        "not_loaded": "Hugging Face does not load the file as it was, or as it is now: nothing to compare",
    }
    return f"      {compared['rule']}: {words[compared['verdict']]}"
