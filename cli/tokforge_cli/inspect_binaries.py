"""``tokforge inspect-binaries``: a tokenizer on executables, section by section."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._options import Config, Json, Quiet, Tokenizer, byte_count
from tokforge_cli._output import cell, emit, pairs, shown_bytes, table
from tokforge_cli._progress import bars

EXAMPLES = """
tokforge inspect-binaries binary-16k /usr/bin
tokforge inspect-binaries ours.json samples.zip --archives --archive-password infected
tokforge inspect-binaries binary-64k firmware/ --json | jq .boundaries
"""
LIMITS = "Limits of parsing"
SHOWN = 5
"""Unparsed files and dead tokens in the text; the JSON has more."""


def inspect_binaries(
    tokenizer: Tokenizer,
    inputs: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Executables, folders of them.", readable=False)
    ],
    archives: Annotated[
        bool, typer.Option("--archives", help="Read the members of zip, tar and ar in memory.")
    ] = False,
    archive_password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Opens encrypted zips; stored nowhere.")
    ] = None,
    nul_runs: Annotated[
        int, typer.Option(metavar="N", help="Runs of N NULs and more are zero padding.")
    ] = 16,
    code: Annotated[
        str,
        typer.Option(metavar="BYTES", help="Most code of a file that is disassembled; 0 for none."),
    ] = "256KiB",
    seed: Annotated[int, typer.Option(metavar="N", help="Of the random places in code.")] = 0,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Longest parsing of one file.", rich_help_panel=LIMITS)
    ] = 20.0,
    memory: Annotated[
        str, typer.Option(metavar="BYTES", help="Memory of the parser.", rich_help_panel=LIMITS)
    ] = "3GiB",
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a tokenizer on executables by section, sort its tokens, and hold them against instructions."""
    from tokforge.binaries import InspectBinariesConfig
    from tokforge.binaries import inspect_binaries as run
    from tokforge.tokenizer import Tokenizer as TokenizerModel

    options = InspectBinariesConfig(
        archives=archives,
        archive_password=archive_password,
        nul_run_bytes=nul_runs,
        code_bytes=byte_count("--code", code) or 0,
        timeout_seconds=timeout,
        memory_bytes=byte_count("--memory", memory) or 0,
        seed=seed,
    )
    with bars(quiet=quiet) as progress:
        found = run(
            TokenizerModel.load(tokenizer), [str(path) for path in inputs], options, progress=progress
        )
    figures = found.as_dict()
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the totals, the sections, the kinds of tokens, the boundaries, and what is missing."""
    facts = {
        "files": figures["files"],
        "bytes": shown_bytes(figures["bytes"]),
        "bytes per token": figures["bytes"] / figures["tokens"] if figures["tokens"] else None,
        "tokens used": f"{figures['used']:,}, {figures['utilisation']:.1%}",
        "unparsed files": len(figures["unparsed"]),
    }
    parts = [pairs(facts.items()), "", _sections(figures["sections"]), "", _kinds(figures)]
    if figures["boundaries"]:
        parts += ["", _boundaries(figures["boundaries"])]
    if figures["unparsed"]:
        rows = [[one["path"], one["bytes"], one["reason"]] for one in figures["unparsed"][:SHOWN]]
        parts += ["", table(["unparsed", "bytes", "why"], rows)]
    if figures["dead_tokens"]:
        rows = [[one["id"], one["text"], one["kind"]] for one in figures["dead_tokens"][:SHOWN]]
        parts += ["", table(["never used", "token", "kind"], rows)]
    return "\n".join(parts)


def _sections(rows: list[Mapping[str, Any]]) -> str:
    shown = [
        [
            *(one["platform"], one["file_kind"], one["section"], one["files"], shown_bytes(one["bytes"])),
            *(one["bytes_per_token"], one["whole_bytes_per_token"], one["zstd_ratio"]),
        ]
        for one in rows
    ]
    header = ["platform", "file kind", "section", "files", "size", "bytes per token", "with NUL runs", "zstd"]
    return table(header, shown)


def _kinds(figures: Mapping[str, Any]) -> str:
    """Kinds of tokens by rank band: tokens of the vocabulary, and the share of what occurs."""
    totals: defaultdict[str, int] = defaultdict(int)
    for found in figures["kinds"].values():
        for kind, count in found.items():
            totals[kind] += count
    used = sum(figures["occurrences"].values())
    rows = [
        [
            kind,
            *(found.get(kind, 0) for found in figures["kinds"].values()),
            f"{figures['occurrences'].get(kind, 0) / used:.1%}" if used else cell(None),
        ]
        for kind in sorted(totals, key=lambda kind: -totals[kind])
    ]
    return table(["tokens by rank", *figures["kinds"], "of all that occur"], rows)


def _boundaries(rows: list[Mapping[str, Any]]) -> str:
    shown = [
        [one["platform"], one["tokens"], *(f"{one[key]:.1%} ({one['random_' + key]:.1%})" for key in KEYS)]
        for one in rows
    ]
    return table(["instructions (at random)", "tokens", *KEYS], shown)


KEYS = ("starts", "ends", "both")
