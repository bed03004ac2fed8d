"""``tokforge evaluate``: what a language model needs to tell a text, in bits per byte."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge_cli._options import Config, Field, Json, Quiet
from tokforge_cli._output import emit, note, pairs, table
from tokforge_cli._progress import bars
from tokforge_cli.transplant import Model

if TYPE_CHECKING:
    from tokforge.transplant.evaluate import Evaluation

EXAMPLES = """
tokforge evaluate SmolLM2-new --text held-out/en held-out/de
tokforge evaluate SmolLM2-new --against SmolLM2 --text held-out/en --windows 100 --json
tokforge evaluate SmolLM2-new --against SmolLM2 --text held-out/en --guess --questions arc.jsonl
"""


def evaluate(
    model: Model,
    text: Annotated[
        list[str],
        typer.Option("--text", metavar="PATH", help="Files, folders or globs of text; each has its own row."),
    ],
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Another model, as the original, on the same windows.")
    ] = None,
    window: Annotated[int, typer.Option(metavar="BYTES", help="Bytes of a window.")] = 2048,
    windows: Annotated[int, typer.Option(metavar="N", help="Most windows of each PATH, evenly spaced.")] = 32,
    guess: Annotated[
        bool,
        typer.Option(
            "--guess",
            help="Also ask for the last word of each window, and for its continuation among four.",
        ),
    ] = False,
    questions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Ask these: context with choices and answer, or with continuation.",
            readable=False,
        ),
    ] = None,
    field: Field = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where the model runs.")] = "auto",
    dtype: Annotated[str, typer.Option(metavar="float32|bfloat16", help="In which precision.")] = "float32",
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a causal model on text in bits per byte, which compares across tokenizers."""
    from tokforge.transplant.evaluate import EvaluateConfig
    from tokforge.transplant.evaluate import evaluate as run

    settings = EvaluateConfig(
        window=window,
        windows=windows,
        text_field=field,
        guess=guess,
        questions=None if questions is None else str(questions),
        device=device,
        dtype=dtype,
    )
    with bars(quiet=quiet) as progress:
        result = run(model, text, against=against, config=settings, progress=progress)
    figures = result.as_dict()
    if figures["lossy_windows"]:
        note(
            f"{figures['lossy_windows']} windows hold what the tokenizer cannot spell: too few bits",
            quiet=quiet,
        )
    emit(figures, _summary(result, figures), as_json=as_json)


def _summary(result: "Evaluation", figures: dict[str, Any]) -> str:
    rows = []
    for name in [*result.inputs, "all"]:
        own = figures["all"] if name == "all" else figures["bits_per_byte"][name]
        row = [name, own["value"], _span(own)]
        rows.append([*row, *_beside((figures["against"] or {}).get(name))])
    header = ["text", "bits/byte", "95%"]
    header += ["other", "difference", "95%", "token ratio"] if figures["against"] else []
    head = {name: figures[name] for name in ("windows", "bytes", "tokens")}
    split = {f"bits/byte of {name} tokens": figures["split"][name] for name in ("shared", "new")}
    head["new tokens"] = figures["split"]["new_token_share"]
    parts = [pairs({**head, **split}.items()), table(header, rows), *_guesses(figures["guesses"])]
    return "\n\n".join(parts)


def _guesses(shares: dict[str, Any]) -> list[str]:
    rows, header = [], ["guess", "questions", "right", "95%", "by chance", "bits/byte"]
    if any(found["against"] for found in shares.values()):
        header += ["other", "difference", "95%"]
    for name, found in shares.items():
        right, against = found["right"], found["against"]
        row = [name, found["questions"], right["value"], _span(right)]
        row += [found["by_chance"], found["bits_per_byte"]]
        if against:
            row += [against["right"], against["difference"]["value"], _span(against["difference"])]
        rows.append(row)
    return [table(header, rows)] if rows else []


def _span(found: dict[str, float]) -> str:
    return f"{found['low']:.3f} to {found['high']:.3f}"


def _beside(pair: dict[str, Any] | None) -> list[Any]:
    if pair is None:
        return []
    apart = pair["difference"]
    return [
        pair["bits_per_byte"],
        apart["value"],
        _span(apart),
        pair["token_ratio"],
    ]
