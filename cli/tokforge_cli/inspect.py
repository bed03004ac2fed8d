"""``tokforge inspect``: what is in a tokenizer."""

from tokforge_cli._options import Config, Json, Quiet, Tokenizer
from tokforge_cli._output import emit, outline

EXAMPLES = """
tokforge inspect tokenizer.json
tokforge inspect tokenizer.json --json | jq .vocab_size
"""


def inspect(tokenizer: Tokenizer, config: Config = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Show a tokenizer's vocabulary, merges, pipeline, special tokens and provenance."""
    from tokforge.metrics.inspect import inspect_tokenizer

    from tokforge import Tokenizer as TokenizerModel

    figures = inspect_tokenizer(TokenizerModel.load(tokenizer)).as_dict()
    emit(figures, outline(figures), as_json=as_json)
