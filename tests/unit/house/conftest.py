"""The house as its tests read it: every module of the three packages, parsed but never run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = {"tokforge": ".", "tokforge_cli": "cli", "tokforge_corpora": "corpora"}


@dataclass(frozen=True)
class Module:
    """One source file of a package."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def is_private(self) -> bool:
        return any(part.startswith("_") for part in self.name.split("."))

    def place(self, node: ast.AST) -> str:
        """Where ``node`` stands, as an editor opens it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def imported(self) -> Iterator[tuple[str, ast.AST]]:
        """Every name imported, dotted and whole, those within functions and under TYPE_CHECKING included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = (
                    self.name.split(".")[: -node.level + (self.is_package or None)] if node.level else []
                )
                base = ".".join([*package, *([node.module] if node.module else [])])
                yield from ((f"{base}.{alias.name}", node) for alias in node.names)


def _modules() -> Iterator[Module]:
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder / package).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, path, ast.parse(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the three packages."""
    found = list(_modules())
    assert {module.name for module in found} > PACKAGES.keys()
    return found
