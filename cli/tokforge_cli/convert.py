"""``tokforge convert``: one library's tokenizer for another, proven equal before it is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._options import Config, Force, Json, Quiet, Tokenizer
from tokforge_cli._output import emit, pairs, table

EXAMPLES = """
tokforge convert cl100k_base.tiktoken tokenizer.json --to hf
tokforge convert tokenizer.json my.tiktoken --to tiktoken --probe book.txt
tokforge convert pkg:mistral_common/data/tekken_240911.json tokenizer.json --to hf
"""
SOURCE, PROOF = "What the source leaves out", "Proof"


def convert(
    tokenizer: Tokenizer,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The file, or for vocab-merges the folder.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="hf, tiktoken, tekken, sentencepiece, vocab-merges, bbpe, bbpe-latin1 or tokforge.",
        ),
    ],
    from_format: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="The source's format; found from its content if not set. Also: gguf, wordpiece.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    pretokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|REGEX", help="The splitter, where a file names none.", rich_help_panel=SOURCE
        ),
    ] = None,
    special: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN[=ID]",
            help="A special token that the file leaves out; repeatable.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    probe: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Compare on this file, too; repeatable.",
            readable=False,
            rich_help_panel=PROOF,
        ),
    ] = None,
    allow_lossy: Annotated[
        bool,
        typer.Option("--allow-lossy", help="Write even where something changes.", rich_help_panel=PROOF),
    ] = False,
    id_map: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.npy", help="Where old id -> new id goes, if ids change.", rich_help_panel=PROOF
        ),
    ] = None,
    legacy_merges: Annotated[
        bool,
        typer.Option("--legacy-merges", help="Merges as text, for tokenizers before 0.20; with --to hf."),
    ] = False,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Convert a tokenizer to another library's format; refuse (exit 1) where ids would differ."""
    from tokforge.tokenizer.conversion import ConvertConfig, try_convert

    options = ConvertConfig(
        to=to,
        format=from_format,
        pretokenizer=pretokenizer,
        special_tokens=tuple(special or ()),
        probe_files=tuple(probe or ()),
        allow_lossy=allow_lossy,
        id_map=id_map,
        legacy_merges=legacy_merges,
        force=force,
    )
    figures = try_convert(tokenizer, output, options).as_dict()
    emit(figures, summary(figures), as_json=as_json)
    if figures["refusal"]:
        raise typer.Exit(1)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the outcome: what was written or why not, who agreed, and the findings."""
    rows = [("from", figures["from"]), ("to", figures["to"]), ("vocab size", figures["vocab_size"])]
    outcome = ("refused", figures["refusal"]) if figures["refusal"] else ("written", figures["written"])
    if figures["pat_str"] is not None:
        rows.append(("pat_str", figures["pat_str"]))
    columns = ("left", "right", "probes", "differing")
    parts = [pairs([*rows, outcome])]
    if figures["comparisons"]:
        parts.append(table(columns, [[one[name] for name in columns] for one in figures["comparisons"]]))
    if figures["findings"]:
        parts.append(pairs((one["kind"].replace("_", " "), one["message"]) for one in figures["findings"]))
    return "\n\n".join(parts)
