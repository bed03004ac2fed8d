"""``tokforge edit``: change a vocabulary, and say where every id went."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge.errors import ConfigError
from tokforge.outputs import StrPath, check_output
from tokforge_cli._command import Command, Group
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import tokenizer_files
from tokforge_cli._options import (
    Config,
    Field,
    Force,
    Json,
    Quiet,
    Threads,
    Tokenizer,
    token_lines,
    whole_numbers,
)
from tokforge_cli._output import emit, pairs, table
from tokforge_cli._progress import bars
from tokforge_cli._recipe import recipe_path, resolved

if TYPE_CHECKING:
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.tokenizer.edit import IdMap

app = typer.Typer(cls=Group, help="Change a vocabulary: tokens, their ids and names.", rich_markup_mode=None)
SHOWN = 10
"""Most tokens listed in the text; the JSON has them whole."""
SPELLED = "spelled as inspect shows it (␣ is a space)"

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where the new tokenizer.json goes.")
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="Also write the map from old ids to new, as JSON."),
]
Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT", help="The corpus: files, folders, globs, or - for standard input."),
]


@app.command(
    "remove",
    cls=Command,
    epilog="""
    tokforge edit remove tokenizer.json -o smaller.json --token '␣SolidGoldMagikarp' --map ids.json
    tokforge edit remove tokenizer.json -o smaller.json --id 17,300-399 --cascade
    """,
)
def remove(
    context: typer.Context,
    tokenizer: Tokenizer,
    output: Output,
    token: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help=f"A token, {SPELLED}; repeatable.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Tokens to remove, one a line, spelled likewise.")
    ] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", metavar="N,N-M", help="Ids; repeatable.")] = None,
    unused: Annotated[bool, typer.Option("--unused", help="All ids without a token.")] = False,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Also what can only be made of them; otherwise that is refused.")
    ] = False,
    id_map: Map = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remove tokens and the merges that make them; the other ids close the gaps."""
    from tokforge.tokenizer import edit

    before = opened(tokenizer, output, id_map, token_file, force=force)
    named = [edit.find_token(before, text) for text in [*(token or ()), *token_lines(token_file)]]
    empty = [i for i, kind in enumerate(before.table.kinds) if unused and kind == "unused"]
    gone = [*named, *whole_numbers("--id", ids or (), ranges=True), *empty]
    after = edit.remove(before, gone, cascade=cascade)
    finish(context, before, *after, output, id_map, force=force, as_json=as_json)


@app.command(
    "add",
    cls=Command,
    epilog="""
    tokforge edit add tokenizer.json -o larger.json --special '<|tool|>' --role 'pad=<|tool|>'
    tokforge edit add tokenizer.json -o larger.json --vocabulary '␣tokenizer' --map ids.json
    """,
)
def add(
    context: typer.Context,
    tokenizer: Tokenizer,
    output: Output,
    special: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A special token; repeatable.")
    ] = None,
    plain: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="A token matched whole in any text; repeatable."),
    ] = None,
    vocabulary: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help=f"A token that merges make, {SPELLED}; repeatable."),
    ] = None,
    vocabulary_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Such tokens, one a line.")
    ] = None,
    score: Annotated[
        list[float] | None,
        typer.Option(metavar="X", help="Unigram: the log probability of each --vocabulary, in order."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=TEXT", help="Give bos, eos, pad, unk, mask, sep or cls to a token."),
    ] = None,
    id_map: Map = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add tokens at the end of the ids: special, matched whole, or made by merges."""
    from tokforge.tokenizer import edit, read_printable

    before = opened(tokenizer, output, id_map, vocabulary_file, force=force)
    tokens = [read_printable(text) for text in [*(vocabulary or ()), *token_lines(vocabulary_file)]]
    roles = dict(split_pair("--role", text, known=None) for text in role or ())
    after = edit.add(
        before, vocabulary=tokens, scores=score or (), plain=plain or (), special=special or (), roles=roles
    )
    finish(context, before, *after, output, id_map, force=force, as_json=as_json)


@app.command(
    "reorder",
    cls=Command,
    epilog="""
    tokforge edit reorder tokenizer.json -o tekken-order.json --by tekken
    tokforge edit reorder tokenizer.json corpus/ -o by-use.json --by use --map ids.json
    """,
)
def reorder(
    context: typer.Context,
    tokenizer: Tokenizer,
    output: Output,
    by: Annotated[
        str,
        typer.Option(
            metavar="hf|tekken|tiktoken|use",
            help="Specials, bytes, merges, as hf or tekken has them; tiktoken: specials last; "
            "use: the most frequent in the corpus first.",
        ),
    ],
    inputs: Inputs = None,
    field: Field = None,
    id_map: Map = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put the ids into another order; text keeps its tokens."""
    from tokforge.bpe import token_counts
    from tokforge.errors import pick
    from tokforge.tokenizer import edit

    orders = {**edit.ORDERS, "use": None}
    order = pick("--by", by, orders)
    if (by == "use") != bool(inputs):
        raise UsageProblem(
            "a corpus goes with --by use, and with nothing else", "name both or neither", "edit"
        )
    before = opened(tokenizer, output, id_map, *(inputs or ()), force=force)
    if order is None:
        with bars(quiet=quiet) as progress:
            counts = token_counts(before, inputs or (), field=field, threads=threads, progress=progress)
        ids = edit.order_by_use(before, counts)
    else:
        ids = order(before)
    after = edit.reorder(before, ids, name=by)
    finish(context, before, *after, output, id_map, force=force, as_json=as_json)


@app.command("pad", cls=Command, epilog="tokforge edit pad tokenizer.json -o padded.json --multiple-of 128")
def pad(
    context: typer.Context,
    tokenizer: Tokenizer,
    output: Output,
    multiple_of: Annotated[int, typer.Option(metavar="M", help="The size becomes a multiple of this.")],
    id_map: Map = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add reserved special tokens up to a multiple; rename gives them a use later."""
    from tokforge.tokenizer import edit

    before = opened(tokenizer, output, id_map, force=force)
    after = edit.pad(before, multiple_of)
    finish(context, before, *after, output, id_map, force=force, as_json=as_json)


@app.command(
    "rename",
    cls=Command,
    epilog="tokforge edit rename tokenizer.json '<|reserved_0|>=<|tool|>' -o renamed.json",
)
def rename(
    context: typer.Context,
    tokenizer: Tokenizer,
    names: Annotated[
        list[str], typer.Argument(metavar="OLD=NEW", help="An added token's text, and its new one.")
    ],
    output: Output,
    id_map: Map = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rename added tokens; ids and roles stay, and templates follow."""
    from tokforge.tokenizer import edit

    before = opened(tokenizer, output, id_map, force=force)
    known = {token.text for token in before.added_tokens}
    after = edit.rename(before, dict(split_pair("rename", text, known=known) for text in names))
    finish(context, before, *after, output, id_map, force=force, as_json=as_json)


@app.command(
    "prune",
    cls=Command,
    epilog="tokforge edit prune tokenizer.json corpus/ -o smaller.json --vocab-size 32000 --map ids.json",
)
def prune(
    context: typer.Context,
    tokenizer: Tokenizer,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="The corpus: files, folders, globs, or - for standard input."),
    ],
    output: Output,
    vocab_size: Annotated[int, typer.Option(metavar="N", help="Ids that are left.")],
    keep: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help=f"A token to keep, {SPELLED}; repeatable.")
    ] = None,
    field: Field = None,
    id_map: Map = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Cut a vocabulary down by its use on a corpus: the least used token first, counted anew each time."""
    from tokforge.bpe import pretoken_counts
    from tokforge.tokenizer import edit

    before = opened(tokenizer, output, id_map, *inputs, force=force)
    edit.require_prunable(before)
    kept = [edit.find_token(before, text) for text in keep or ()]
    with bars(quiet=quiet) as progress:
        texts = pretoken_counts(before, inputs, field=field, threads=threads, progress=progress)
        after, ids, steps = edit.prune(before, texts, vocab_size, keep=kept, progress=progress)
    more = {"steps": edit.step_figures(before, steps)}
    finish(context, before, after, ids, output, id_map, more, force=force, as_json=as_json)


def opened(
    tokenizer: Path, output: Path, id_map: Path | None, *inputs: StrPath | None, force: bool
) -> "TokenizerModel":
    """Loads the tokenizer, once it is sure that the results can be written and would replace no input."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.tokenizer.files import sidecar_path

    if Path("-") in (output, id_map):
        raise UsageProblem("standard output cannot hold a tokenizer or a map", "name files", "edit")
    targets: list[StrPath] = [output, recipe_path(output), *([id_map] if id_map else [])]
    if output.name:  # "." has none
        targets.append(sidecar_path(output))
    check_output(*targets, force=force, inputs=[*tokenizer_files(tokenizer), *(one for one in inputs if one)])
    return TokenizerModel.load(tokenizer)


def finish(
    context: typer.Context,
    before: "TokenizerModel",
    after: "TokenizerModel",
    ids: "IdMap",
    output: Path,
    id_map: Path | None,
    more: Mapping[str, Any] | None = None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Writes the tokenizer, its recipe and the map, all or none, and says what changed."""
    from tokforge.tokenizer import edit

    beside: dict[StrPath, bytes | str] = {**resolved(context, output)}
    if id_map:
        beside[id_map] = ids.to_json()
    texts = {path: text.encode() if isinstance(text, str) else text for path, text in beside.items()}
    written = after.save(output, force=force, beside=texts)
    figures = {
        "operation": context.info_name,
        "output": str(written),
        "map": str(id_map) if id_map else None,
        **edit.edit_figures(before, after, ids),
        **(more or {}),
    }
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the figures, with the beginning of the long lists."""
    lists = ("removed", "added", "steps")
    head = pairs((name.replace("_", " "), value) for name, value in figures.items() if name not in lists)
    return "\n\n".join([head, *(_listed(name, figures[name]) for name in lists if figures.get(name))])


def _listed(name: str, entries: list[dict[str, Any]]) -> str:
    columns = list(entries[0])
    body = table(
        [column.replace("_", " ") for column in columns], [list(e.values()) for e in entries[:SHOWN]]
    )
    more = f" (the first {SHOWN} of {len(entries):,})" if len(entries) > SHOWN else ""
    return f"{name}{more}\n{body}"


def split_pair(option: str, text: str, *, known: set[str] | None) -> tuple[str, str]:
    """Reads ``A=B``; of several ``=`` the one whose left side is ``known`` counts, else the first."""
    cuts = [at for at, char in enumerate(text) if char == "=" and 0 < at < len(text) - 1]
    if not cuts:
        raise ConfigError(f"{text!r} is no pair", "write it as A=B", option)
    at = next((cut for cut in cuts if known and text[:cut] in known), cuts[0])
    return text[:at], text[at + 1 :]
