"""Recipes: a command's options in a YAML file.

Invariant: a recipe says nothing that the command line could not. Its values are checked for their type,
rewritten as the words of a command line, and become click's ``default_map``; so the command line wins,
and every value is read in one place. Only `yaml.safe_load`'s plain values are ever built.
"""

import inspect
import json
import os
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import typer

from tokforge.errors import ConfigError, UnknownNameError
from tokforge.outputs import StrPath
from tokforge_cli._failure import did_you_mean

OF_ONE_RUN = frozenset(
    {
        "archive_password",
        "checkpoint",
        "checkpoint_seconds",
        "config",
        "force",
        "help",
        "json",
        "quiet",
        "resume",
    }
)
"""Options that say how one run is reported or what it may replace; a recipe says what is computed."""


def load(context: typer.Context, parameter: typer.CallbackParam, value: Path | None) -> Path | None:
    """Reads ``--config`` and makes its values the defaults of the command's other options."""
    if value is not None and not context.resilient_parsing:
        context.default_map = _spelled(_read(value), context, value)
    return value


def recipe_path(output: Path) -> Path:
    """Where the recipe behind ``output`` is stored: ``tokenizer.json`` has ``tokenizer.recipe.yaml``."""
    return output.parent / f"{output.stem}.recipe.yaml"


def resolved(context: typer.Context, output: Path) -> dict[StrPath, bytes | str]:
    """Returns the recipe of this run by its path: all options, defaults included, for ``--config``."""
    import yaml

    params, settable = context.params, _settable(context)
    options = {name: _plain(params[parameter.name]) for name, parameter in settable.items()}
    text: str = yaml.safe_dump(
        {name: value for name, value in options.items() if value not in (None, [])},
        sort_keys=False,
        allow_unicode=True,
    )
    header = f"# {context.command_path} --config {recipe_path(output).name}\n"
    return {recipe_path(output): header + text}


def _plain(value: Any) -> Any:
    """Returns ``value`` as YAML's own types."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _settable(context: typer.Context) -> dict[str, Any]:
    """The command's parameters by the name that a recipe gives them."""
    parameters = context.command.get_params(context)
    named = {_name(parameter): parameter for parameter in parameters}
    return {name: parameter for name, parameter in named.items() if name not in OF_ONE_RUN}


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name)
    return str(max(parameter.opts, key=len)).lstrip("-").replace("-", "_")


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, _loader())
    except OSError as error:
        raise ConfigError(os.strerror(error.errno or 0).lower(), "name a readable file", str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", "name a YAML file", str(path)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"is not YAML: {_first_line(error)}", "correct that line", str(path)) from error
    if not isinstance(content, dict):
        raise ConfigError("holds no options", "write one `option: value` a line", str(path))
    return content


def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML itself keeps the last of two equal keys, silently."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for at, key in enumerate(keys):
                if key in keys[:at]:
                    mark = node.value[at][0].start_mark
                    raise yaml.MarkedYAMLError(problem=f"{key!r} is set twice", problem_mark=mark)
            return super().construct_mapping(node, deep)

    return Loader


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0] or "too deeply nested"
    return f"line {mark.line + 1}: {problem}" if mark else problem


def _spelled(content: dict[str, Any], context: typer.Context, path: Path) -> dict[str, Any]:
    """Returns the recipe's values as the command line would give them, by parameter name."""
    function: Any = inspect.unwrap(context.command.callback)  # type: ignore[arg-type]  # every command has one
    settable, hints = _settable(context), get_type_hints(function)
    spelled: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in settable:
            raise _unknown(str(key), list(settable), path)
        parameter = settable[name]
        if parameter.name in spelled:
            raise ConfigError("is set twice", "keep one of the two spellings", f"{path}: {key}")
        if value is not None:
            speller = _Speller(f"{path}: {key}", parameter)
            spelled[parameter.name] = speller.spell(value, hints[parameter.name])
    return spelled


def _unknown(key: str, known: list[str], path: Path) -> ConfigError:
    if key.replace("-", "_") in OF_ONE_RUN:
        hint = f"write --{key} on the command line"
        return ConfigError("belongs to one run, not to a recipe", hint, f"{path}: {key}")
    hint = did_you_mean(key.replace("-", "_"), known) or f"use one of: {', '.join(sorted(known))}"
    return UnknownNameError(f"there is no option {key}", hint, str(path))


class _Speller:
    """Rewrites one value, and says where it stands when it has the wrong type."""

    def __init__(self, where: str, parameter: Any) -> None:
        self._where, self._pairs = where, "=" in (parameter.metavar or "")

    def spell(self, value: Any, hint: Any) -> Any:
        hint = _without_none(hint)
        if get_origin(hint) is not list:
            return self._scalar(value, hint)
        item = get_args(hint)[0]
        if isinstance(value, dict) and self._pairs:
            return [f"{self._scalar(k, str)}={self._scalar(v, str)}" for k, v in value.items()]
        values = value if isinstance(value, list) else [value]
        return [self._scalar(one, item) for one in values]

    def _scalar(self, value: Any, hint: type) -> Any:
        # bool is an int to Python, and `no` is false to YAML: neither is ever meant by a number or a name.
        fits = {
            bool: isinstance(value, bool),
            int: isinstance(value, int) and not isinstance(value, bool),
            float: isinstance(value, int | float) and not isinstance(value, bool),
        }.get(hint, isinstance(value, str | int | float) and not isinstance(value, bool))
        if not fits:
            wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(hint, "text")
            raise ConfigError(
                f"{json.dumps(value, default=str)} is not {wanted}", _quote_hint(value, wanted), self._where
            )
        return value if hint in (bool, int, float) else str(value)


def _quote_hint(value: Any, wanted: str) -> str:
    return "put it in quotes" if wanted == "text" and isinstance(value, bool) else f"write {wanted}"


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint
