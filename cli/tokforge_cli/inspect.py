"""``tokforge inspect``: what is in a tokenizer."""

from collections.abc import Mapping
from typing import Any

from tokforge_cli._options import Config, Json, Quiet, Threads, Tokenizer
from tokforge_cli._output import emit, outline

EXAMPLES = """
tokforge inspect tokenizer.json
tokforge inspect tokenizer.json --json | jq .unreachable
"""
SHOWN = 10
"""Longest lists of tokens and merges in the text; the JSON has them whole."""


def inspect(
    tokenizer: Tokenizer,
    threads: Threads = None,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show a tokenizer's vocabulary, merges, pipeline, unreachable tokens and provenance."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.metrics.inspect import inspect_tokenizer

    figures = inspect_tokenizer(TokenizerModel.load(tokenizer), threads=threads).as_dict()
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the figures, with the beginning of every long list."""
    lists = {name: value for name, value in figures.items() if isinstance(value, list | tuple)}
    long = {f"{name} shown": f"{SHOWN} of {len(one):,}" for name, one in lists.items() if len(one) > SHOWN}
    return outline({**figures, **{name: one[:SHOWN] for name, one in lists.items()}, **long})
