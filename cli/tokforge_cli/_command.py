"""The classes behind every command and group: grouped plain help, and names that are close to a wrong one.

The help is plain text everywhere, so that it reads the same in a pipe, a pager, a terminal and a test.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from tokforge_cli._failure import CLICK_USAGE_ERROR, UsageProblem, did_you_mean, where


def _write_options(command: Any, context: typer.Context, formatter: Any) -> None:
    """Writes the parameters under the panels that their declarations name."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            panels.setdefault(_panel(parameter), []).append((_label(parameter, record[0]), record[1]))
    for panel, records in panels.items():
        with formatter.section(panel):
            formatter.write_dl(records)


def _label(parameter: Any, label: str) -> str:
    """An argument's name says what it is, where Typer adds Python's own type: ``FILE <list[Path]>``."""
    return label.partition(" <")[0] if parameter.param_type_name == "argument" else label


def _panel(parameter: Any) -> str:
    default = "Arguments" if parameter.param_type_name == "argument" else "Options"
    return getattr(parameter, "rich_help_panel", None) or default


def _write_epilog(command: Any, formatter: Any) -> None:
    """Writes the examples as they stand; click would wrap them into a paragraph."""
    if command.epilog:
        with formatter.section("Examples"):
            for line in command.epilog.strip().splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")


class Command(TyperCommand):
    """A command with grouped options and examples."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            self._refuse_repeats(ctx, args)
            return super().parse_args(ctx, args)
        except CLICK_USAGE_ERROR as error:
            error.ctx = error.ctx or ctx  # the parser leaves it out, and the message needs the command's name
            raise

    def _refuse_repeats(self, ctx: Any, args: list[str]) -> None:
        """Raises UsageProblem for an option of one value given twice: click keeps the last, silently."""
        *_, order = self.make_parser(ctx).parse_args(args=list(args))
        options: list[Any] = [one for one in order if one.param_type_name == "option"]
        valued = [one for one in options if not (one.multiple or one.is_flag)]
        for at, option in enumerate(valued):
            if option in valued[:at] and not ctx.resilient_parsing:
                problem = f"{max(option.opts, key=len)} is given twice, and takes one value"
                raise UsageProblem(problem, "give it once", where(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """As man pages write them: Typer puts braces around what is required."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_epilog(self, formatter)


class ListCommand(Command):
    """A command whose options in ``lists`` take every word up to the next option: ``--text a b c``."""

    lists: ClassVar[frozenset[str]] = frozenset({"--text"})

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(self._repeated(args)))

    def _repeated(self, args: list[str]) -> Iterator[str]:
        """Yields ``args`` with the option repeated before each of its words, which is what click reads."""
        option, words = "", 0
        for at, word in enumerate(args):
            if word == "--":
                yield from args[at:]
                return
            if word.startswith("-") and word != "-":
                option, words = word if word in self.lists else "", 0
            else:
                words += bool(option)
                if words > 1:
                    yield option
            yield word


class Group(TyperGroup):
    """A group that shows its help when it is called alone, and names the command nearest to a wrong one."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes each command's whole first paragraph; click would cut it where the line ends."""
        shown = [(name, one) for name, one in self.commands.items() if not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1000)) for name, one in shown])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_epilog(self, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], list(self.commands)) or f"see {ctx.command_path} --help"
            raise UsageProblem(f"there is no command {args[0]}", hint, where(ctx))
        return super().resolve_command(ctx, args)
