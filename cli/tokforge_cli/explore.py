"""``tokforge explore``: a local page that shows tokens as one types."""

from pathlib import Path
from typing import Annotated

import typer

from tokforge_cli._options import ANY_FORMAT, Config, Json, Quiet
from tokforge_cli._output import emit

EXAMPLES = """
tokforge explore tokenizer.json
tokforge explore ours.json gpt2/ --port 8000
"""


def explore(
    tokenizers: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="TOKENIZER",
            help=f"{ANY_FORMAT} The current folder if none is named.",
            readable=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Open a page on this machine that shows any text's tokens live; Ctrl-C closes it."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.metrics.names import short_names
    from tokforge.report.server import Server, serve

    paths = [str(path) for path in tokenizers or [Path()]]
    names = short_names([str(Path(path).resolve()) if path == "." else path for path in paths])
    loaded = {name: TokenizerModel.load(path) for name, path in zip(names, paths, strict=True)}
    server = Server(loaded, port)
    figures = {"url": server.url, "port": server.server_port, "tokenizers": paths}
    emit(figures, f"{server.url}\nopen it in a browser on this machine; Ctrl-C closes it", as_json=as_json)
    flush()
    serve(server)


def flush() -> None:
    """Shows the address before the wait begins, in a pipe too."""
    import sys

    sys.stdout.flush()
