"""Repairs a tokenizer.json and its configuration into new files, and proves what each repair does to ids.

Definition: the fixes of the rules that found something are applied one after another to a copy of the
parsed JSON. Invariant: the input is never written to. After each fix the file before and the file after it
are loaded by Hugging Face, where it loads both, and compared on probes; a fix that promises equal ids and
breaks the promise is refused, any other has its differences listed. What Hugging Face cannot load has
nothing to compare.
"""

import copy
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokforge.errors import ExportError, InputError, OutputError
from tokforge.lint._proof import Comparison, compare
from tokforge.lint.artefact import TOKENIZER, Artefact, read_artefact
from tokforge.lint.registry import RULES, select_rules
from tokforge.lint.report import LintReport
from tokforge.lint.rule import Change, Documents, Rule
from tokforge.lint.run import run_rules
from tokforge.outputs import StrPath, output_error, write_files
from tokforge.tokenizer.locations import locate

__all__ = ["Fixed", "fix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What `fix` wrote."""

    output: str
    changes: tuple[Change, ...]
    ids: tuple[Comparison, ...]
    """What each applied fix did to ids, in order."""
    remaining: LintReport
    """The report of the new file."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return {
            "output": self.output,
            "changes": [
                {"rule": one.rule, "file": one.file, "pointer": one.pointer, "what": one.what}
                for one in self.changes
            ],
            "ids": [one.as_dict() for one in self.ids],
        }


def fix(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    force: bool = False,
) -> Fixed:
    """Applies the automatic fixes of what `lint` finds at ``path`` and writes the result to ``output``.

    A folder gives a new folder with tokenizer.json and the JSON files beside it; a file gives a file, and
    companions stay as they are. Fixes that change ids, and those of notes, are made only for rules that
    ``select`` names: whether a model was trained with the fault, only you know.

    Raises:
        InputError: the artefact is no tokenizer.json.
        ExportError: a fix that promises equal ids gives others, and nothing is written.
        OutputError: ``output`` exists (without ``force``), is the input, or cannot be written.
    """
    select = list(select or ())
    source = locate(os.fspath(path))
    artefact = read_artefact(source)
    if artefact.format != TOKENIZER:
        raise InputError(
            f"fixes are for tokenizer.json, not {artefact.format}", "convert it first", os.fspath(path)
        )
    _refuse_in_place(artefact, Path(output))
    rules = select_rules(select, ignore)
    report = run_rules(artefact, rules, os.fspath(path))
    whole = source.is_dir()
    documents = {
        name: copy.deepcopy(document.value)
        for name, document in artefact.documents.items()
        if document.value is not None and (whole or name == artefact.file)
    }
    wanted = [
        code
        for code in dict.fromkeys(finding.rule for finding in report.findings if finding.fixable)
        if select or _is_safe(RULES[code])
    ]
    changes, ids = _apply(wanted, artefact, documents)
    _write(artefact, documents, Path(output), whole=whole, force=force)
    remaining = run_rules(read_artefact(Path(output)), rules, os.fspath(output))
    return Fixed(output=os.fspath(output), changes=tuple(changes), ids=tuple(ids), remaining=remaining)


def _is_safe(rule: Rule) -> bool:
    return rule.severity != "note" and rule.fix is not None and rule.fix.keeps_ids


def _refuse_in_place(artefact: Artefact, output: Path) -> None:
    if os.path.realpath(output) in (os.path.realpath(artefact.path), os.path.realpath(artefact.path.parent)):
        raise OutputError(
            "this is the input, which is never changed", "name a new file or folder", str(output)
        )


def _apply(
    codes: Iterable[str], artefact: Artefact, documents: Documents
) -> tuple[list[Change], list[Comparison]]:
    changes: list[Change] = []
    ids: list[Comparison] = []
    for code in codes:
        rule = RULES[code]
        if rule.fix is None:
            continue
        before = _content(documents[artefact.file])
        made = list(rule.fix.edit(artefact, documents))
        if not made:
            continue
        changes += made
        if before == _content(documents[artefact.file]):
            continue  # a companion changed
        compared = compare(code, before, _content(documents[artefact.file]), by_token=rule.fix.renumbers)
        if compared.verdict == "changed" and (rule.fix.keeps_ids or rule.fix.renumbers):
            raise ExportError(
                f"the fix of {code} would change ids: {compared.example}",
                f"leave it out: --ignore {code}",
                str(artefact.path),
            )
        ids.append(compared)
    return changes, ids


def _content(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _write(artefact: Artefact, documents: Documents, output: Path, *, whole: bool, force: bool) -> None:
    if not whole:
        write_files({output: _content(documents[artefact.file])}, force=force)
        return
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, output) from error
    files: dict[StrPath, bytes | str] = {output / name: _content(value) for name, value in documents.items()}
    if artefact.chat_template is not None:
        files[output / "chat_template.jinja"] = artefact.chat_template
    # The tokenizer goes last: the folder is no tokenizer without it.
    main = output / artefact.file
    write_files({**{name: files[name] for name in files if name != main}, main: files[main]}, force=force)
