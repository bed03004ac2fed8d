"""Dependencies run one way: command line -> corpora and capabilities -> metrics -> tokenizer -> engine, errors."""

import re

import tokforge

ALLOWED = {
    # Only names that load on first use.
    "tokforge": {"bpe", "errors", "lint", "metrics", "mixture", "tokenizer", "transplant"},
    "tokforge.__main__": {"tokforge_cli"},  # `python -m tokforge` is the command
    "tokforge.errors": set(),
    "tokforge.lazy": set(),
    "tokforge.outputs": {"errors"},
    "tokforge.threads": {"errors"},
    "tokforge.options": {"errors"},
    "tokforge.inputs": {"errors", "options"},
    "tokforge.tokenizer": {"_core", "errors", "outputs", "threads"},
    "tokforge.binaries": {"errors", "inputs", "metrics", "options", "tokenizer"},
    "tokforge.encoding": {"errors", "inputs", "options", "outputs", "threads", "tokenizer"},
    "tokforge.metrics": {"errors", "inputs", "threads", "tokenizer"},
    "tokforge.merging": {"lazy", "errors", "inputs", "tokenizer"},
    "tokforge.masking": {"lazy", "_core", "errors"},
    "tokforge.mixture": {
        "lazy",
        "_core",
        "bpe",
        "errors",
        "inputs",
        "outputs",
        "report",
        "tokenizer",
        "threads",
    },
    "tokforge.report": {"errors", "metrics", "outputs", "tokenizer"},
    "tokforge.lint": {"_core", "errors", "metrics", "outputs", "tokenizer"},
    "tokforge.supertokens": {"lazy", "_core", "bpe", "errors", "inputs", "metrics", "options", "tokenizer"},
    "tokforge.transplant": {"_core", "lazy", "errors", "inputs", "options", "outputs", "tokenizer"},
    "tokforge.audit": {"errors", "lint", "metrics", "mixture", "tokenizer", "transplant"},
    "tokforge.advice": {"bpe", "errors", "inputs", "outputs", "report", "tokenizer"},
    "tokforge.bpe": {"lazy", "_core", "errors", "inputs", "options", "outputs", "threads", "tokenizer"},
}
"""Part of the library -> what of the library it may import besides itself.

A new part needs a line. A capability's line names `bpe` at most, and no other capability.
"""
NO_LOGIC = {
    "advice",
    "audit",
    "binaries",
    "bpe",
    "encoding",
    "errors",
    "lint",
    "merging",
    "metrics",
    "mixture",
    "outputs",
    "report",
    "supertokens",
    "tokenizer",
    "transplant",
}
"""What the command line may import of the library: never the engine, never the readers."""
CAPABILITIES = {"binaries", "supertokens", "transplant", "merging", "mixture", "masking"}


def part_of(name):
    """Returns the part of the house that a dotted name belongs to: ``tokforge.bpe``, ``tokforge_cli``."""
    top, *rest = name.split(".")
    if top != "tokforge" or not rest:
        return top
    return tokforge._HOMES.get(rest[0], "tokforge" if rest[0] == "__version__" else f"tokforge.{rest[0]}")


def ours(modules):
    """Yields (module, its part, dotted name imported, its part, place) for every import within the house."""
    for module in modules:
        for name, node in module.imported():
            if name.split(".")[0].startswith("tokforge"):
                yield module, part_of(module.name), name, part_of(name), module.place(node)


def test_the_library_has_no_part_without_a_rule(modules):
    parts = {part_of(module.name) for module in modules if module.name.split(".")[0] == "tokforge"}
    assert parts == ALLOWED.keys()


def test_no_rule_lets_a_capability_import_another():
    for part, allowed in ALLOWED.items():
        if part not in ("tokforge", "tokforge.audit"):  # they name the front doors; put findings side by side
            assert not allowed & CAPABILITIES, part


def test_the_library_imports_what_its_rules_say(modules):
    wrong = []
    for _, part, name, target, place in ours(modules):
        is_other = part.split(".")[0] == "tokforge" and target not in (part, "tokforge")
        if is_other and target.removeprefix("tokforge.") not in ALLOWED[part]:
            wrong.append(f"{place}: {part} imports {name}")
    assert wrong == []


def test_the_package_itself_is_imported_for_its_version_alone(modules):
    places = {place for _, part, _, target, place in ours(modules) if target == "tokforge" != part}
    assert {place.split(":")[0] for place in places} <= {
        "tokforge/bpe/record.py",
        "tokforge/transplant/run.py",
        "cli/tokforge_cli/app.py",
    }


def test_the_command_line_imports_no_engine_and_no_reader(modules):
    allowed = {"tokforge", "tokforge_cli", "tokforge_corpora", *(f"tokforge.{name}" for name in NO_LOGIC)}
    wrong = [
        f"{place}: {name}"
        for _, part, name, target, place in ours(modules)
        if part == "tokforge_cli" and target not in allowed
    ]
    assert wrong == []


def test_corpora_import_only_errors_inputs_and_outputs(modules):
    allowed = {"tokforge_corpora", "tokforge.errors", "tokforge.inputs", "tokforge.outputs"}
    wrong = [
        f"{place}: {name}"
        for _, part, name, target, place in ours(modules)
        if part == "tokforge_corpora" and target not in allowed
    ]
    assert wrong == []


def test_nothing_private_is_imported_by_another_part(modules):
    wrong = [
        f"{place}: {name}"
        for _, part, name, target, place in ours(modules)
        if part != target and re.search(r"\._(?!core\b|_version__)", name)
    ]
    assert wrong == []


def test_the_engine_knows_python_in_one_module_only(root):
    files = (root / "core" / "src").rglob("*.rs")
    naming = {
        path.relative_to(root / "core" / "src").parts[0] for path in files if "pyo3" in path.read_text()
    }
    assert naming == {"python"}
