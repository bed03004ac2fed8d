"""``tokforge count`` and ``tokforge merge-counts``: words counted on many machines, for one to train on."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._failure import UsageProblem
from tokforge_cli._options import Config, Field, Force, Json, Quiet, Threads, byte_count
from tokforge_cli._output import emit, note, pairs, shown_bytes
from tokforge_cli._progress import bars

EXAMPLES = """
tokforge count crawl/ -o part-3.counts --pretokenizer o200k --shard 3/8 --memory 4GB
tokforge merge-counts part-*.counts -o all.counts
tokforge train-bpe --counts all.counts -o tokenizer.json --vocab-size 65536
"""
MERGE_EXAMPLES = """
tokforge merge-counts part-1.counts part-2.counts -o all.counts
"""


def count(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Files, folders, globs, or - for standard input.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the counts file goes.")
    ],
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Count every N-th file from the I-th on, as 3/8.")
    ] = "1/1",
    preset: Annotated[str, typer.Option(metavar="NAME", help="text, code, chinese-32k or auto.")] = "auto",
    pretokenizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="A splitter or a regex; the preset's if not set.")
    ] = None,
    field: Field = None,
    follow_symlinks: Annotated[bool, typer.Option(help="Follow symlinks inside folders.")] = True,
    memory: Annotated[
        str | None, typer.Option(metavar="BYTES", help="Most memory to take, as 2GB; the rest in TMPDIR.")
    ] = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Count the words of text or code, for train-bpe --counts."""
    from tokforge import bpe

    options = bpe.BpeConfig(
        preset=preset,
        pretokenizer=pretokenizer,
        field=field,
        follow_symlinks=follow_symlinks,
        threads=threads,
        memory_bytes=byte_count("--memory", memory),
    )
    with bars(quiet=quiet) as progress:
        result = bpe.count(inputs, output, options, shard=_shard(shard), force=force, progress=progress)
    figures = {"output": str(output), **result.as_dict()}
    for remark in figures["skipped"]:
        note(f"warning: {remark['path']} was not read: {remark['reason']}", quiet=quiet or as_json)
    emit(figures, _summary(figures), as_json=as_json)


def merge_counts(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Counts files, cut alike.", readable=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the counts file goes.")
    ],
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Merge counts files into one; the order does not matter."""
    from tokforge import bpe

    with bars(quiet=quiet) as progress:
        result = bpe.merge_counts(files, output, force=force, progress=progress)
    figures = {"output": str(output), **result.as_dict()}
    emit(figures, _summary(figures), as_json=as_json)


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found:
        raise UsageProblem(f"--shard is {text!r}", "write it as 3/8: the third of eight", "count")
    return int(found[1]), int(found[2])


def _summary(figures: dict[str, Any]) -> str:
    return pairs(
        [
            ("distinct words", figures["words"]),
            ("documents", figures["documents"]),
            ("corpus", shown_bytes(figures["bytes"])),
            ("pretokenizer", figures["pretokenizer"]),
            ("seconds", figures["seconds"]),
            ("output", figures["output"]),
        ]
    )
