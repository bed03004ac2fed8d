"""``tokforge demo``: the main job on this machine's own executables."""

from pathlib import Path
from typing import Annotated

import typer

from tokforge.outputs import check_output
from tokforge_cli._options import Config, Force, Json, Quiet, byte_count
from tokforge_cli._output import emit, pairs, shown_bytes, table
from tokforge_cli._progress import bars
from tokforge_cli.train_bpe import with_sidecars

EXAMPLES = """
tokforge demo
tokforge demo --limit 500MB -o mine.json
"""


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where tokenizer.json goes.")
    ] = Path("tokenizer.json"),
    limit: Annotated[
        str, typer.Option(metavar="BYTES", help="How much to read, as 500MB or 1GiB.")
    ] = "100MB",
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a 4,096 vocabulary on executables found on this machine, and show what it learned."""
    from tokforge.bpe import run_demo

    check_output(*with_sidecars(output), force=force)
    with bars(quiet=quiet) as progress:
        shown = run_demo(limit_bytes=byte_count("--limit", limit) or 0, progress=progress)
    shown.result.tokenizer.save(output, force=force)
    figures = {"output": str(output), **shown.as_dict()}
    head = pairs(
        [
            ("trained on", f"{shown.trained_files} executables, {shown_bytes(shown.result.corpus_bytes)}"),
            ("held out", f"{shown.held_out_files} executables"),
            ("seconds", shown.result.seconds),
            ("peak memory", shown_bytes(shown.result.peak_memory_bytes)),
            ("output", str(output)),
        ]
    )
    rows = [(size, *pair) for size, pair in shown.bytes_per_token.items()]
    sizes = table(("vocabulary", "bytes per token, trained", "held out"), rows)
    examples = pairs((kind, "  ".join(tokens)) for kind, tokens in shown.examples.items())
    emit(figures, f"{head}\n\n{sizes}\n\n{examples}", as_json=as_json)
