"""Rules are complete and explained; reports are sorted, SARIF is what its readers take, and the module is callable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from lint_files import BYTES, tokenizer

import tokforge.lint as linting
from tokforge.errors import UnknownNameError
from tokforge.lint import RULES, explain, sarif
from tokforge.lint.report import SEVERITIES
from tokforge.lint.rule import HEADINGS

DOCS = Path(__file__).parents[3] / "docs" / "lint.md"


def test_codes_run_without_a_gap_and_names_differ():
    assert list(RULES) == [f"L{number:02}" for number in range(1, len(RULES) + 1)]
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("code", RULES)
def test_every_page_has_its_headings(code):
    rule = RULES[code]
    assert rule.page.startswith(f"{code}: ") and rule.title
    positions = [rule.page.index(f"\n{heading}:\n") for heading in HEADINGS]
    assert positions == sorted(positions)
    assert all(rule.section(heading) for heading in HEADINGS)
    assert explain(code) == explain(rule.name)
    assert rule.severity in SEVERITIES


def test_the_guide_lists_every_rule_as_its_page_says():
    guide = DOCS.read_text()
    for rule in RULES.values():
        row = f"| {rule.code} | {rule.name} | {rule.severity} | {'yes' if rule.fix else ''} | {rule.title} |"
        assert row in guide, row


def test_rules_are_chosen_by_code_or_name(make):
    folder = make(tokenizer({"merges": ["a b", "Ġ ab"]}))
    assert linting.lint(folder, select=["l27"]).rules == ("L27",)
    assert linting.lint(folder, select=["legacy-merges", "L01"]).rules == ("L01", "L27")
    assert "L27" not in linting.lint(folder, ignore=["Legacy-Merges"]).rules
    for option in ("select", "ignore"):
        with pytest.raises(UnknownNameError):
            linting.lint(folder, **{option: ["L99"]})


def test_findings_stand_worst_first_and_fit_a_line(make):
    model = {"vocab": {**BYTES, "ab": 300, "x\ny" * 50: 301}, "merges": [["a", "q q"], ["a", "b"]]}
    report = linting.lint(make(tokenizer(model, vresion=1)))
    order = [list(SEVERITIES).index(finding.severity) for finding in report.findings]
    assert order == sorted(order) and len(set(order)) == 3
    assert all("\n" not in finding.value and len(finding.value) <= 70 for finding in report.findings)
    counts = report.as_dict()["counts"]
    assert sum(counts.values()) == len(report.findings) and report.failed()


def test_notes_never_fail_and_warnings_only_if_strict(make):
    warned = linting.lint(make(tokenizer(truncation={"max_length": 3})))
    assert (warned.failed(), warned.failed(strict=True)) == (False, True)


def test_sarif(make):
    log = sarif(linting.lint(make(tokenizer({"merges": [["a", "zz"]]}))))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ids == list(RULES)
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("tokenizer.json")
    json.dumps(log)


STRING, LEVEL = {"type": "string", "minLength": 1}, {"enum": ["none", "note", "warning", "error"]}
MESSAGE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": STRING},
    "additionalProperties": False,
}
URI = {"type": "string", "pattern": r"^([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+$"}


def holds(required, properties):
    """The schema of an object that has these keys and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def each(schema):
    return {"type": "array", "minItems": 1, "items": schema}


def sarif_schema():
    """SARIF 2.1.0 as far as a report uses it: its keys, required ones and types (OASIS, sections 3.13 to 3.49)."""
    rule = {"id": STRING, "name": STRING, "shortDescription": MESSAGE, "fullDescription": MESSAGE}
    rule |= {"help": MESSAGE, "defaultConfiguration": holds([], {"level": LEVEL})}
    driver = holds(["name"], {"name": STRING, "rules": {**each(holds(["id"], rule)), "uniqueItems": True}})
    artefact = holds([], {"uri": URI})
    location = {"physicalLocation": holds(["artifactLocation"], {"artifactLocation": artefact})}
    location["logicalLocations"] = each(holds([], {"fullyQualifiedName": STRING}))
    result = {
        "ruleId": STRING,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
    }
    result |= {"locations": each(holds([], location)), "properties": {"type": "object"}}
    run = {"tool": holds(["driver"], {"driver": driver})}
    run["results"] = {"type": "array", "items": holds(["message"], result)}
    log = {"$schema": URI, "version": {"const": "2.1.0"}, "runs": each(holds(["tool"], run))}
    return holds(["version", "runs"], log)


def test_sarif_is_of_its_schema_whatever_the_folder_is_called(make, tmp_path):
    source = make(tokenizer({"merges": [["a", "zz"]]}, vresion=1))
    place = tmp_path / "a b % \u00e9#?"
    source.rename(place) if source.is_dir() else (place.mkdir(), source.rename(place / source.name))
    log = json.loads(json.dumps(sarif(linting.lint(place))))
    jsonschema.Draft202012Validator(sarif_schema()).validate(log)


@pytest.mark.oracle
def test_sarif_is_of_the_official_schema(make):
    """OASIS's own, as npm's @microsoft/jest-sarif ships it: lib/schemas/sarif-2.1.0-rtm.5.json."""
    path = os.environ.get("TOKFORGE_SARIF_SCHEMA")
    if not path:
        pytest.skip("TOKFORGE_SARIF_SCHEMA names no schema")
    schema = json.loads(Path(path).read_text())
    assert schema["$schema"].startswith("http://json-schema.org/draft-04")
    log = json.loads(json.dumps(sarif(linting.lint(make(tokenizer({"merges": [["a", "zz"]]}))))))
    assert log["runs"][0]["results"]
    jsonschema.Draft4Validator(schema).validate(log)
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema.Draft4Validator(schema).is_valid(log)
    assert len(log["runs"][0]["results"]) > 1


@pytest.mark.parametrize(
    "line",
    [
        "import tokforge; tokforge.lint",
        "import tokforge.lint; tokforge.lint",
        "import tokforge, tokforge.lint.rule; tokforge.lint",
        "from tokforge import lint; lint",
        "from tokforge.lint import lint; lint",
    ],
)
def test_the_name_can_be_called_however_it_was_reached(make, line):
    folder = make(tokenizer())
    code = f"{line.split('; ')[0]}\nprint({line.split('; ')[1]}({str(folder)!r}).format)\n"
    code += f"print({line.split('; ')[1]}.fix.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "tokenizer.json\nfix\n"
