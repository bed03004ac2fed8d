"""The command ``tokforge``: registers every command, and alone turns errors into exit codes."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tokforge_cli import (
    advise_vocab,
    audit,
    compare,
    convert,
    corpora,
    count,
    decode,
    demo,
    edit,
    encode,
    evaluate,
    explore,
    heal,
    infer_mixture,
    inspect,
    inspect_binaries,
    lint,
    merge_subtokens,
    simulate_mixture,
    train_bpe,
    train_hypernet,
    transplant,
)
from tokforge_cli._command import Command, Group, ListCommand
from tokforge_cli._failure import INTERRUPTED, report

app = typer.Typer(
    name="tokforge",
    cls=Group,
    help="Make, measure and understand tokenizers for text, code and binaries.",
    epilog="""
    tokforge train-bpe /usr/bin -o tokenizer.json --vocab-size 4096
    tokforge encode tokenizer.json /bin/ls
    tokforge inspect tokenizer.json
    """,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)
app.command("train-bpe", cls=Command, epilog=train_bpe.EXAMPLES)(train_bpe.train_bpe)
app.command("count", cls=ListCommand, epilog=count.EXAMPLES)(count.count)
app.command("merge-counts", cls=ListCommand, epilog=count.MERGE_EXAMPLES)(count.merge_counts)
app.command("encode", cls=Command, epilog=encode.EXAMPLES)(encode.encode)
app.command("decode", cls=Command, epilog=decode.EXAMPLES)(decode.decode)
app.command("inspect", cls=Command, epilog=inspect.EXAMPLES)(inspect.inspect)
app.command("inspect-binaries", cls=Command, epilog=inspect_binaries.EXAMPLES)(
    inspect_binaries.inspect_binaries
)
app.command("infer-mixture", cls=Command, epilog=infer_mixture.EXAMPLES)(infer_mixture.infer_mixture)
app.command("simulate-mixture", cls=Command, epilog=simulate_mixture.EXAMPLES)(
    simulate_mixture.simulate_mixture
)
app.command("merge-subtokens", cls=Command, epilog=merge_subtokens.EXAMPLES)(merge_subtokens.merge_subtokens)
app.command("transplant", cls=ListCommand, epilog=transplant.EXAMPLES)(transplant.transplant)
app.command("train-hypernet", cls=ListCommand, epilog=train_hypernet.EXAMPLES)(train_hypernet.train_hypernet)
app.command("import-gguf", cls=Command, epilog=transplant.GGUF_EXAMPLES)(transplant.import_gguf)
app.command("evaluate", cls=ListCommand, epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("heal", cls=ListCommand, epilog=heal.EXAMPLES)(heal.heal)
app.command("lint", cls=Command, epilog=lint.EXAMPLES)(lint.lint)
app.command("convert", cls=Command, epilog=convert.EXAMPLES)(convert.convert)
app.command("compare", cls=ListCommand, epilog=compare.EXAMPLES)(compare.compare)
app.command("explore", cls=Command, epilog=explore.EXAMPLES)(explore.explore)
app.command("advise-vocab", cls=Command, epilog=advise_vocab.EXAMPLES)(advise_vocab.advise_vocab)
app.command("audit", cls=Command, epilog=audit.EXAMPLES)(audit.audit)
app.command("demo", cls=Command, epilog=demo.EXAMPLES)(demo.demo)
app.add_typer(edit.app, name="edit")
app.add_typer(corpora.app, name="corpora")


def _show_version(wanted: bool) -> None:
    if wanted:
        import tokforge

        print(f"tokforge {tokforge.__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line of this process and ends it with its exit code."""
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        # Threads of the engine may still hold a long file; waiting for them would outlast half a second.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str], application: typer.Typer = app) -> int:
    """Runs one command line and returns its exit code; nothing but SystemExit leaves this function."""
    as_json = "--json" in arguments
    try:
        _dispatch(typer.main.get_command(application), list(arguments))
    except SystemExit:
        raise
    except BaseException as error:  # also what Rust raises when it panics, which is no Exception
        return report(error, as_json=as_json)
    return 0


def _dispatch(command: Any, arguments: list[str]) -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A token or a path need not fit the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")
    if "_TOKFORGE_COMPLETE" in os.environ:
        command.main(arguments, prog_name="tokforge")
    with command.make_context("tokforge", arguments) as context:
        command.invoke(context)
    sys.stdout.flush()  # here, so that a full disk or a closed pipe is reported like any other
