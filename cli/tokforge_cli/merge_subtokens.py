"""``tokforge merge-subtokens``: what merging the subtokens of names would save."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._options import Config, Json, Quiet
from tokforge_cli._output import emit, note, pairs, table
from tokforge_cli._progress import bars

EXAMPLES = """
tokforge merge-subtokens --estimate src --model codet5-base
tokforge merge-subtokens --estimate src --model codebert --at-layer 6 --units identifiers --json
"""


def merge_subtokens(
    estimate: Annotated[
        list[Path],
        typer.Option(metavar="PATH", help="Files and folders of source code; repeatable.", readable=False),
    ],
    model: Annotated[
        Path,
        typer.Option(metavar="DIR", help="A folder with config.json and the tokenizer.", readable=False),
    ],
    units: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POLICY",
            help="identifiers, leaves, words, or a sum as identifiers+strings; repeatable. Four if not set.",
        ),
    ] = None,
    at_layer: Annotated[
        int, typer.Option(metavar="K", help="Merge before layer K; 0: at the embeddings.")
    ] = 0,
    window: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens that the model reads at once.", min=1)
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Language of all files, instead of each one's suffix."),
    ] = None,
    max_unit: Annotated[int, typer.Option(metavar="N", help="Units of more tokens are left alone.")] = 16,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Estimate what merging the subtokens of names would save on your code, without running a model."""
    from tokforge.merging.saving import POLICIES
    from tokforge.merging.saving import estimate as run

    with bars(quiet=quiet) as progress:
        found = run(
            estimate,
            model,
            units=units or POLICIES,
            at_layer=at_layer,
            window=window,
            language=language,
            max_unit=max_unit,
            progress=progress,
        )
    figures = found.as_dict()
    if figures["skipped"]:
        first = figures["skipped"][0]
        note(
            f"{len(figures['skipped'])} files were skipped, the first {first['path']}: {first['reason']}",
            quiet=quiet or as_json,
        )
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out one row a language and policy."""
    rows = [
        [
            language,
            policy,
            found["tokens"],
            saved["rows"],
            f"{saved['reduction']:.1%}",
            f"{saved['flops_saved']:.1%}",
        ]
        for language, found in figures["languages"].items()
        for policy, saved in found["policies"].items()
    ]
    header = ("language", "units", "tokens", "after merging", "shorter by", "FLOPs saved")
    head = [
        ("merging before layer", f"{figures['at_layer']} of {figures['layers']}"),
        ("window", figures["window"]),
        (
            "files with parse errors",
            sum(one["files_with_parse_errors"] for one in figures["languages"].values()),
        ),
    ]
    return f"{table(header, rows)}\n\n{pairs(head)}"
