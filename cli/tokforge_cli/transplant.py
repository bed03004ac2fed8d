"""``tokforge transplant`` and ``tokforge import-gguf``: a model with a new tokenizer, and a model out of a
GGUF file.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge.errors import ConfigError
from tokforge_cli._options import Config, Field, Force, Json, Quiet, Tokenizer
from tokforge_cli._output import emit, note, outline, pairs, table
from tokforge_cli._progress import bars

if TYPE_CHECKING:
    from tokforge.transplant import Transplant

EXAMPLES = """
tokforge transplant SmolLM2/ tokenizer.json -o SmolLM2-new --method tokenadapt --text corpus/
tokforge transplant SmolLM2/ tokenizer.json --dry-run --text corpus/ --json
tokforge transplant SmolLM2/ tokenizer.json -o out --method length-weighted --set scale=0.85 --map
'<|end|>=<|im_end|>'
"""
GGUF_EXAMPLES = "tokforge import-gguf SmolLM2-135M-Instruct.Q4_1.gguf -o SmolLM2"
METHOD, FILES, CHECKS = "Method", "Model and tokenizer", "Checks"

Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A model's folder: config.json, safetensors, its tokenizer; hf:owner/name.",
        readable=False,
    ),
]


def transplant(
    model: Model,
    tokenizer: Tokenizer,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where the new model's folder goes.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="How rows are made; an unknown name lists all.", rich_help_panel=METHOD
        ),
    ] = "tokenadapt",
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="An option of the method; repeatable.", rich_help_panel=METHOD
        ),
    ] = None,
    embedder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A sentence-transformers folder that compares tokens; the model's own rows if not set.",
            rich_help_panel=METHOD,
        ),
    ] = None,
    donor: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A model that has the new tokenizer.", rich_help_panel=METHOD),
    ] = None,
    hypernet: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A network of train-hypernet.", rich_help_panel=METHOD),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Sample text: for the plan, and for methods that learn from text; repeatable.",
            rich_help_panel=METHOD,
        ),
    ] = None,
    field: Field = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NEW=OLD",
            help="The new token takes the old one's row; repeatable.",
            rich_help_panel=FILES,
        ),
    ] = None,
    id_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The map that `edit` or `convert` wrote with TOKENIZER: kept ids keep their rows.",
            rich_help_panel=FILES,
        ),
    ] = None,
    multiple_of: Annotated[
        int, typer.Option(metavar="M", help="Pad the rows to a multiple of this.", rich_help_panel=FILES)
    ] = 1,
    chat_template: Annotated[
        str,
        typer.Option(
            metavar="auto|new|old|none",
            help="auto: the new tokenizer's, else the old one if all its markers are there, else none.",
            rich_help_panel=FILES,
        ),
    ] = "auto",
    checks: Annotated[
        str,
        typer.Option(
            metavar="auto|full|tensors",
            help="full also runs both models; auto does where they fit in memory.",
            rich_help_panel=CHECKS,
        ),
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.", rich_help_panel=CHECKS)
    ] = False,
    device: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda|mps", help="Where neighbours are searched.", rich_help_panel=METHOD
        ),
    ] = "auto",
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of what is drawn.", rich_help_panel=METHOD)
    ] = 0,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give a language model a new tokenizer, check the result, and only then put it in place."""
    from tokforge.transplant import TransplantConfig
    from tokforge.transplant import transplant as run

    settings = TransplantConfig(
        method=method,
        options=dict(_pair("--set", one) for one in options or ()),
        mapping=dict(_pair("--map", one) for one in mapping or ()),
        id_map=str(id_map) if id_map else None,
        multiple_of=multiple_of,
        chat_template=chat_template,
        embedder=str(embedder) if embedder else None,
        donor=str(donor) if donor else None,
        hypernet=str(hypernet) if hypernet else None,
        text=tuple(text or ()),
        text_field=field,
        device=device,
        seed=seed,
        checks=checks,
    )
    with bars(quiet=quiet) as progress:
        result = run(
            model, tokenizer, output, config=settings, dry_run=dry_run, force=force, progress=progress
        )
    for one in result.notes:
        note(one, quiet=quiet)
    emit(_figures(result), _summary(result), as_json=as_json)
    if result.failed:
        raise typer.Exit(1)


def import_gguf(
    gguf: Annotated[
        Path, typer.Argument(metavar="FILE.gguf", help="A Llama-type GGUF file.", readable=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the model's folder goes.")
    ],
    dtype: Annotated[str, typer.Option(metavar="BF16|F16|F32", help="Type of the weights.")] = "BF16",
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn a Llama-type GGUF file into a Hugging Face folder: weights dequantised, tokenizer and config
    rebuilt.
    """
    from tokforge.transplant import import_gguf as run

    figures = run(gguf, output, dtype=dtype, force=force)
    emit(figures, pairs(figures.items()), as_json=as_json)


def _pair(option: str, text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not left or not equals:
        raise ConfigError(f"{text!r} is no pair", "write it as A=B", option)
    return left, right


def _figures(result: "Transplant") -> dict[str, Any]:
    return {
        "output": str(result.output) if result.output else None,
        "method": result.label,
        "rows": result.plan.rows,
        "plan": {name: value for name, value in result.plan.as_dict().items() if name != "rows"},
        "verified": {check.name: check.as_dict() for check in result.checks},
        "verdict": result.verdict,
        "notes": list(result.notes),
    }


def _summary(result: "Transplant") -> str:
    plan = {
        "output": result.output,
        "method": result.label,
        **result.plan.as_dict(),
        "verdict": result.verdict,
    }
    checks = [[check.name, check.outcome, check.detail] for check in result.checks]
    shown = outline({name: value for name, value in plan.items() if value is not None})
    return shown + ("\n\n" + table(["check", "outcome", "detail"], checks) if checks else "")
