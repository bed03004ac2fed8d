"""``tokforge decode``: ids to the bytes they stand for."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tokforge.outputs import check_output, write_files
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._options import Config, Force, Json, Quiet, Tokenizer
from tokforge_cli._output import emit, pairs

EXAMPLES = """
tokforge decode tokenizer.json ids.npy -o book.txt
tokforge decode tokenizer.json ids.npy -o - | sha256sum
tokforge decode tokenizer.json train.bin -o text.txt --dtype uint16
"""


def decode(
    tokenizer: Tokenizer,
    ids: Annotated[
        Path,
        typer.Argument(
            metavar="IDS.npy|.bin", help="One dimension of integers, as encode writes it.", readable=False
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the bytes go; - is standard output.")
    ],
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="Of a .bin file that has no IDS.index.json: uint16, int32, uint32 or int64.",
        ),
    ] = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decode ids to bytes; the documents of several files come end to end."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.encoding import decode_file

    to_stdout = output == Path("-")
    if to_stdout and as_json:
        raise UsageProblem("--json and -o - both want standard output", "name a file", "decode")
    if not to_stdout:
        read = [*tokenizer_files(tokenizer), ids]
        check_output(output, force=force, inputs=read)
    result = decode_file(TokenizerModel.load(tokenizer), ids, dtype=dtype)
    if to_stdout:
        sys.stdout.buffer.write(result.data)
        return
    write_files({output: result.data}, force=force)
    figures = {"output": str(output), **result.as_dict()}
    emit(figures, pairs((name.replace("_", " "), value) for name, value in figures.items()), as_json=as_json)
