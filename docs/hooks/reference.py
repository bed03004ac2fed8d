"""The pages that nobody writes: commands from the application, the reference from every ``__all__``."""

import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
APART = {"tokforge.report"}
"""Packages whose names serve the command line alone."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds the packages' pages to the navigation."""
    sys.path[:0] = [str(ROOT), str(ROOT / "cli"), str(ROOT / "corpora")]
    (reference,) = (entry["Reference"] for entry in config["nav"] if "Reference" in entry)
    reference += [f"reference/{name}.md" for name in packages() if name != "tokforge"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages themselves."""
    pages = {"commands.md": commands_page()}
    for package, names in packages().items():
        page = front_page(names) if package == "tokforge" else package_page(package)
        pages[f"reference/{package}.md"] = page
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def packages() -> dict[str, list[str]]:
    """Returns the names that each public package offers, as its ``__all__`` lists them."""
    paths = [*sorted((ROOT / "tokforge").rglob("__init__.py")), ROOT / "tokforge" / "errors.py"]
    modules = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in paths
    }
    found = {name: listed(path) for name, path in modules.items() if "._" not in name and name not in APART}
    return {name: names for name, names in found.items() if names}


def listed(path: Path) -> list[str]:
    """Returns ``__all__`` of a module, unimported; empty where it has none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def package_page(package: str) -> str:
    """Returns the page of one package: its docstring, then every name that it offers."""
    text = f"# {package}\n\n::: {package}\n    options:\n      show_submodules: false\n"
    folder = ROOT / package.replace(".", "/")
    for name in listed(folder / "__init__.py") if folder.is_dir() else []:
        if (folder / f"{name}.py").exists() or (
            folder / name
        ).is_dir():  # the module's name hides the function's
            text += f"\n::: {package}.{name}.{name}\n    options:\n      show_root_heading: true\n"
            text += "      show_root_toc_entry: true\n      show_root_full_path: false\n"
    return text


def front_page(names: list[str]) -> str:
    """Returns a table of what ``import tokforge`` offers, each linked to the package where it lives."""
    import tokforge

    rows = []
    for name in names:
        home = tokforge._HOMES.get(name)
        if home is None:
            rows.append("| `__version__` | The version that is installed. |")
            continue
        target = home if home in packages() else home.rpartition(".")[0]
        path = f"{home}.{name}"
        summary = (inspect.getdoc(getattr(import_module(home), name)) or "").partition("\n\n")[0]
        rows.append(f"| [`{name}`]({target}.md#{path}) | {' '.join(summary.split())} |")
    head = (
        "# tokforge\n\n`import tokforge` loads nothing heavy; each name is loaded when it is first used.\n\n"
    )
    return head + "| name | |\n|---|---|\n" + "\n".join(rows) + "\n"


def commands_page() -> str:
    """Returns every command with its arguments, options and examples, as its ``--help`` has them."""
    import typer
    from tokforge_cli.app import app

    parts = ["# Commands", "Written from the application: what `tokforge COMMAND --help` says."]
    for words, command in walk(typer.main.get_command(app), "tokforge"):
        parts += command_section(words, command)
    return "\n\n".join(parts) + "\n"


def walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    """Yields every command below a group, by its words."""
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from walk(child, f"{words} {name}")
        else:
            yield f"{words} {name}", child


def command_section(words: str, command: Any) -> Iterator[str]:
    """Yields the parts of one command's section."""
    context = command.make_context(words, [], resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## {words.removeprefix('tokforge ')}"
    yield " ".join((command.help or "").split())
    yield f"```text\n{words} {usage}\n```"
    panels: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and parameter.name != "help":
            default = "Arguments" if parameter.param_type_name == "argument" else "Options"
            panel = getattr(parameter, "rich_help_panel", None) or default
            panels.setdefault(panel, []).append("| " + " | ".join((code(record[0]), cell(record[1]))) + " |")
    for panel, rows in panels.items():
        yield f"| {panel} | |\n|---|---|\n" + "\n".join(rows)
    schema = words.removeprefix("tokforge ").replace(" ", "-")
    if (ROOT / "docs" / "schemas" / f"{schema}.schema.json").exists():
        yield f"Fields of `--json`: [schema](schemas/{schema}.schema.json)."
    if command.epilog:
        lines = "\n".join(line.strip() for line in command.epilog.strip().splitlines())
        yield f"```sh\n{lines}\n```"


def code(text: str) -> str:
    """Returns a cell of code; a pipe would end the cell."""
    return f"`{text}`".replace("|", "\\|")


def cell(text: str) -> str:
    """Returns help as a cell: nothing in it is Markdown."""
    text = " ".join(text.split())
    for mark in "\\`*_|<>[]":
        text = text.replace(mark, f"&#{ord(mark)};")
    return text
