"""``tokforge encode``: files to ids."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge.outputs import check_output
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._options import Config, Force, Json, Quiet, Threads, Tokenizer
from tokforge_cli._output import emit, table
from tokforge_cli._progress import bars
from tokforge_cli._recipe import recipe_path, resolved

EXAMPLES = """
tokforge encode tokenizer.json book.txt
tokforge encode tokenizer.json *.elf -o ids.npy --offsets
tokforge encode tokenizer.json kernel.elf -o ids.npy --window 4096 --stride 3072
tokforge encode tokenizer.json corpus.txt -o train.bin
zcat corpus.gz | tokforge encode tokenizer.json - -o ids.npy
"""
IDS = "Ids"
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE", help="Files of any bytes, each one document; - is standard input.", readable=False
    ),
]


def encode(
    context: typer.Context,
    tokenizer: Tokenizer,
    files: Files,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="IDS.npy|.bin",
            help="Where the ids go, those of all files end to end. .npy: with IDS.boundaries.npy beside it "
            "(uint64, files + 1) if there are several; .bin: little-endian ids alone, with "
            "IDS.index.json. Not set: figures only.",
            rich_help_panel=IDS,
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="uint16, int32, uint32 or int64; uint16 up to 65,536 entries, else uint32, if not set.",
            rich_help_panel=IDS,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Also write IDS.windows.npy: int64 (start, end) of windows of N ids; none crosses a file.",
            rich_help_panel=IDS,
        ),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(metavar="M", help="Ids from one window to the next; N if not set.", rich_help_panel=IDS),
    ] = None,
    offsets: Annotated[
        bool,
        typer.Option(
            "--offsets",
            help="Also write IDS.offsets.npy: uint64 first byte of each token within its file.",
            rich_help_panel=IDS,
        ),
    ] = False,
    char_spans: Annotated[
        bool,
        typer.Option(
            "--char-spans",
            help="Also write IDS.characters.npy: uint64 (start, end) of the characters each token holds a "
            "byte of.",
            rich_help_panel=IDS,
        ),
    ] = False,
    special: Annotated[
        str,
        typer.Option(
            metavar="none|all",
            help="Whether text that spells a special token becomes it.",
            rich_help_panel=IDS,
        ),
    ] = "none",
    archives: Annotated[
        bool,
        typer.Option(
            "--archives", help="Encode the members of zip, tar and ar, each a document, read in memory."
        ),
    ] = False,
    archive_password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Opens encrypted zips; stored in no recipe.")
    ] = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Encode files to ids, and say how many bytes a token holds."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.encoding import EncodeConfig, array_paths, encode_to_files

    options = EncodeConfig(
        window=window,
        stride=stride,
        offsets=offsets,
        characters=char_spans,
        special=special,
        dtype=dtype,
        threads=threads,
        archives=archives,
        archive_password=archive_password,
    )
    check_target(output, wants_arrays=offsets or char_spans or window is not None or dtype is not None)
    if files.count(Path("-")) > 1:
        raise UsageProblem("standard input can be read once", "name - once", "encode")
    if output:
        paths = array_paths(output, files=len(files), config=options)
        read = [*tokenizer_files(tokenizer), *files]
        check_output(*paths.values(), recipe_path(output), force=force, inputs=read)
    model = TokenizerModel.load(tokenizer)
    beside = resolved(context, output) if output else {}
    with bars(quiet=quiet) as progress:
        result, arrays = encode_to_files(
            model, files, output, options, force=force, beside=beside, progress=progress
        )
    figures = {"output": str(output) if output else None, "arrays": arrays, **result.as_dict()}
    emit(figures, summary(figures), as_json=as_json)


def check_target(output: Path | None, *, wants_arrays: bool) -> None:
    """Refuses what would be computed for nobody, and a stream that could not be told from the figures."""
    if output == Path("-"):
        raise UsageProblem("ids cannot go to standard output", "name a file: -o ids.npy", "encode")
    if output and output.suffix not in (".npy", ".bin"):
        raise UsageProblem(f"{output} ends in neither .npy nor .bin", "name it ids.npy", "encode")
    if wants_arrays and not output:
        raise UsageProblem(
            "--window, --offsets, --char-spans and --dtype are about files", "add -o ids.npy", "encode"
        )


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the figures of every file, and their totals."""
    columns = ("path", "bytes", "tokens", "bytes_per_token", "seconds")
    rows = [[file[name] for name in columns] for file in figures["files"]]
    if len(rows) > 1:
        rows.append(["total", *(figures[name] for name in columns[1:])])
    text = table([name.replace("_", " ") for name in columns], rows)
    return "\n".join([text, *(f"{name}: {path}" for name, path in figures["arrays"].items())])
