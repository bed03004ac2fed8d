"""The commands of the application, as click sees them."""

from typing import Any


def commands() -> dict[str, Any]:
    """Returns every command by its words, such as ``corpora fetch``."""
    import typer
    from tokforge_cli.app import app

    return dict(_walk(typer.main.get_command(app), ""))


def _walk(command: Any, path: str) -> Any:
    for name, child in command.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(child, "commands"):
            yield from _walk(child, words)
        else:
            yield words, child
