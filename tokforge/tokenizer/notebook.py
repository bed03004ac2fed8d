"""How a tokenizer looks in a notebook: its facts, and a sentence in coloured tokens; everything escaped."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tokforge.errors import TokforgeError
from tokforge.tokenizer.display import printable

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["segmentation_html", "table_html", "tokenizer_html"]

SENTENCE = "Tokenizers cut unbelievable words, naïve_names and 12345 numbers:\n\treturn [x**2]"
_COLOURS = ("#dbe9ff", "#ffe5cc", "#d5f2df", "#eedcff", "#ffdcdf", "#cff1f5", "#f3e6c4", "#fbd9ee")


def tokenizer_html(tokenizer: "Tokenizer") -> str:
    """Returns the tokenizer's facts as a table, and how it cuts a sentence."""
    stages = "+".join(map(str, tokenizer.pipeline.pretokenizers)) or "none"
    facts = {
        "kind": tokenizer.kind,
        "vocabulary": f"{tokenizer.vocab_size:,}",
        "merges": f"{len(tokenizer.merges):,}",
        "pre-tokenizer": stages,
        "special tokens": ", ".join(token.text for token in tokenizer.special_tokens[:8]) or "none",
    }
    try:
        shown = segmentation_html(tokenizer, SENTENCE)
    except TokforgeError:  # a vocabulary without these characters still has its facts
        shown = ""
    return table_html(["tokenizer", ""], list(facts.items())) + shown


def segmentation_html(tokenizer: "Tokenizer", text: str) -> str:
    """Returns ``text`` as coloured tokens; the colour follows the id, which stands in the title."""
    look = "color:#111;border-radius:3px;margin-right:1px;white-space:pre-wrap"
    spans = [
        f'<span title="id {number}" style="background:{_colour(number)};{look}">'
        f"{escape(printable(tokenizer.token_bytes(number)))}</span>"
        for number in tokenizer.encode(text).tolist()
    ]
    return f'<div style="font-family:monospace;line-height:1.8">{"".join(spans)}</div>'


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a plain table; every cell is escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _colour(token_id: int) -> str:
    return _COLOURS[token_id * 2654435761 % 2**32 >> 29]  # as the report's script does
