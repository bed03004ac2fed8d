"""What the live page shows: the cuts of a text, and how a token was merged."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from tokforge.metrics.samples import segmentation
from tokforge.metrics.sections import sections
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.report.markup import element
from tokforge.report.page import document
from tokforge.report.payload import safe_json
from tokforge.tokenizer import Tokenizer, printable

__all__ = ["encoded", "explore_page", "merge_tree"]

MOST_TOKENS = 4000
"""Tokens that are sent to be drawn: a browser takes seconds for more."""
MOST_NODES = 2000
"""Nodes of a merge tree that are sent: a token of 1,000 bytes has as many."""


def encoded(tokenizer: Tokenizer, data: bytes) -> dict[str, Any]:
    """Returns how many tokens ``data`` has, and of the first `MOST_TOKENS` the ids, where they begin and
    where the last one ends, and the bytes they lie on if those are others.
    """
    found = segmentation(tokenizer, data)
    whole = data if found.changed is None else found.changed
    end = [*found.starts[MOST_TOKENS : MOST_TOKENS + 1], len(whole)][0]
    return {
        "tokens": len(found.ids),
        "ids": found.ids[:MOST_TOKENS],
        "starts": found.starts[:MOST_TOKENS],
        "end": end,
        "bytes": None if found.changed is None else b64encode(whole[:end]).decode(),
        "sections": [list(one.place(0)) for one in sections(data)],
    }


def merge_tree(vocabulary: Vocabulary, token_id: int) -> dict[str, Any]:
    """Returns a token and, in ``parts``, what it was first merged from, down to bytes.

    ``rank`` is the merge's place in the order, None for a token that no merge makes.
    """
    text, made = printable(vocabulary.tokenizer.token_bytes(token_id)), vocabulary.first_merges
    root: dict[str, Any] = {"id": token_id, "text": text, "rank": None, "parts": []}
    open_nodes, nodes = [root], 1
    while open_nodes and nodes < MOST_NODES:
        node = open_nodes.pop(0)
        if node["id"] in made:
            node["rank"], *parts = made[node["id"]]
            node["parts"] = [
                {"id": i, "text": printable(vocabulary.tokens[i]), "rank": None, "parts": []} for i in parts
            ]
            open_nodes += node["parts"]
            nodes += 2
    return root


def explore_page(names: Sequence[str], secret: str) -> str:
    """Returns the page; its script asks with ``secret``."""
    stored = safe_json({"names": list(names), "secret": secret})
    data = f'<script type="application/json" id="data">{stored}</script>'
    area = element("textarea", id="text", spellcheck="false", aria_describedby="drop-note")
    note = "Type or paste, or drop a file here. The text goes to tokforge on this machine and nowhere else."
    typed = element(
        "section",
        element("h2", "Text"),
        element("label", "Text to encode", area, class_="wide"),
        element("p", note, id="drop-note", class_="note"),
        element("div", id="which", class_="controls", role="group", aria_label="Tokenizers shown"),
        element(
            "div",
            element("label", "Mark where it differs from", element("select", id="reference")),
            class_="controls",
        ),
        id="section-text",
    )
    shown = element(
        "section",
        element("h2", "Tokens"),
        element("output", "Nothing is selected.", id="inspector", aria_live="polite"),
        element("div", id="samples", class_="samples"),
        id="section-tokens",
    )
    tree = element(
        "section",
        element("h2", "Merge tree"),
        element(
            "p",
            "Choose a token above with a click or Enter.",
            id="tree-note",
            class_="note",
            aria_live="polite",
        ),
        element("div", id="tree"),
        id="section-tree",
    )
    return document("tokforge explore", typed + shown + tree + data, script="explore.js", connect="'self'")
