"""What each module offers: listed, sorted, complete, importable, explained, and light to import."""

import ast
import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

import tokforge

HEAVY = {
    *("matplotlib", "numpy", "pyarrow", "rich", "scipy", "tokenizers", "torch", "transformers"),
    *("tokforge._core", "yaml", "zstandard"),
}
OF_TORCH = (
    "tokforge.merging.models.",
    *(
        f"tokforge.transplant.hypernet.{name}"
        for name in ("host", "language", "network", "storage", "training")
    ),
)
"""Modules that define modules of torch, and so load it; nothing loads them before they are used."""
WITHOUT_ALL = {"tokforge.lint.rules", "tokforge.merging.models", "tokforge.tokenizer.formats", "tokforge_cli"}
"""Packages that offer no names, only modules."""


def is_public(module):
    """The command line is an application: nobody imports its modules."""
    return not module.is_private and not module.name.startswith("tokforge_cli")


def listed(module):
    """Returns ``__all__`` as it is written, or None."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None


def order(name):
    """Constants, then classes, then functions: the order that ruff's RUF022 keeps."""
    return (not name.isupper(), not name[0].isupper(), name)


def definitions(body):
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


def test_every_public_module_lists_its_names_in_order(modules):
    for module in filter(is_public, modules):
        names = listed(module)
        if module.name in WITHOUT_ALL:
            assert names is None and not definitions(module.tree.body), module.name
        else:
            assert names == sorted(set(names or ()), key=order), module.name


def test_no_public_definition_is_left_out_of_all(modules):
    missing = [
        f"{module.place(node)}: {node.name}"
        for module in filter(is_public, modules)
        for node in definitions(module.tree.body)
        if not node.name.startswith("_") and node.name not in (listed(module) or ())
    ]
    assert missing == []


def test_every_listed_name_can_be_imported(modules):
    for module in modules:
        for name in listed(module) or ():
            assert hasattr(import_module(module.name), name), f"{module.name}.{name}"


def test_a_package_lists_all_that_it_imports_for_others(modules):
    """What a public package imports by name at its top, it imports to offer it."""
    for module in modules:
        if module.is_package and is_public(module) and listed(module):
            at_top = [node for node in module.tree.body if isinstance(node, ast.ImportFrom)]
            offered = {
                alias.name
                for node in at_top
                if (node.module or "").startswith("tokforge")
                and node.module != "tokforge.lazy"  # which offers the others
                for alias in node.names
            }
            assert offered <= set(listed(module)), module.name


def test_every_name_of_tokforge_resolves_and_is_seen_by_type_checkers(modules):
    (module,) = (module for module in modules if module.name == "tokforge")
    (guarded,) = (node for node in module.tree.body if isinstance(node, ast.If))
    typed = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == tokforge._HOMES
    for name in tokforge.__all__:
        assert getattr(tokforge, name) is not None


def undocumented(body, prefix=""):
    for node in definitions(body):
        if not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield node, prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, f"{prefix}{node.name}.")


def test_every_module_and_every_public_definition_has_a_docstring(modules):
    missing = [f"{m.place(m.tree)}: the module" for m in modules if not ast.get_docstring(m.tree)]
    for module in filter(is_public, modules):
        missing += [f"{module.place(node)}: {name}" for node, name in undocumented(module.tree.body)]
    assert missing == []


def newly_loaded(code):
    """Returns the modules that ``code`` loads in a fresh interpreter, by what it prints last."""
    code = f"import json, sys; before = set(sys.modules)\n{code}\n"
    code += "print('\\n' + json.dumps(sorted(set(sys.modules) - before)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def outside(loaded):
    """Returns the top-level packages among ``loaded`` that Python does not bring."""
    return {name.split(".")[0] for name in loaded} - sys.stdlib_module_names


def test_import_tokforge_loads_nothing_but_itself():
    loaded = newly_loaded("import tokforge")
    assert outside(loaded) == {"tokforge"}
    assert {name for name in loaded if name.startswith("tokforge")} == {"tokforge"}


@pytest.mark.parametrize("name", ["tokforge.errors", "tokforge.outputs", "tokforge.bpe", "tokforge_corpora"])
def test_options_errors_and_manifests_need_no_other_package(name):
    assert outside(newly_loaded(f"import {name}")) <= {"tokforge", "tokforge_corpora"}


def test_no_help_page_loads_arrays_engine_or_any_extra():
    code = (
        "import typer\nfrom tokforge_cli.app import app, run\n"
        "def pages(command, words):\n"
        "    yield words\n"
        "    for name, child in getattr(command, 'commands', {}).items():\n"
        "        yield from pages(child, [*words, name])\n"
        "found = list(pages(typer.main.get_command(app), []))\n"
        "assert len(found) > 5, found\n"
        "assert [run([*words, '--help']) for words in found] == [0] * len(found)"
    )
    loaded = newly_loaded(code)
    assert {"tokforge_cli.app", "typer"} <= loaded
    assert loaded & HEAVY == set()


def test_no_module_of_the_library_loads_an_extra_when_it_is_imported(modules):
    names = [m.name for m in modules if not m.name.startswith(("tokforge_cli", *OF_TORCH))]
    loaded = newly_loaded(
        f"from importlib import import_module\nfor name in {names}:\n    import_module(name)"
    )
    assert set(names) - {"tokforge"} <= loaded
    assert loaded & HEAVY <= {"numpy"}
