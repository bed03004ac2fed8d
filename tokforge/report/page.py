"""The report: one HTML file that needs no network, works from the keyboard and prints.

Tables and charts are written here, so that they need no script; the script adds the samples and the
vocabulary. A content security policy with the hashes of the one script and the one style refuses
everything else, so that text that slipped through unescaped would still not run, and nothing is fetched.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from tokforge.metrics import METRICS, Comparison
from tokforge.metrics.measures import MEASURES
from tokforge.report.markup import element, text_of
from tokforge.report.payload import safe_json, sample_data, vocabulary_data
from tokforge.report.sections import (
    definitions,
    fairness,
    headline,
    kin,
    summary,
    superwords,
    texts,
    usage,
    word_lists,
)

__all__ = ["document", "page"]


def page(comparison: Comparison, title: str = "Tokenizer comparison") -> str:
    """Returns the report of ``comparison`` as HTML."""
    data = {
        "names": [one["name"] for one in comparison.tokenizers.values()],
        "samples": [sample_data(sample) for sample in comparison.samples],
        "total": [int(one.total) for one in comparison.totals.values()],
    }
    blocks = [
        headline(comparison),
        summary(comparison),
        texts(comparison),
        fairness(comparison),
        usage(comparison),
        superwords(comparison),
        word_lists(comparison),
        kin(comparison),
        _samples(),
        _vocabulary(),
        definitions([*METRICS.values(), *MEASURES.values()]),
    ]
    stored = _data("data", safe_json(data)) + _data("vocabulary-data", vocabulary_data(comparison))
    return document(title, "".join(blocks) + stored, script="report.js")


def document(title: str, body: str, *, script: str, connect: str = "'none'") -> str:
    """Returns a whole page around ``body`` with the package's style and the named script.

    ``connect`` is what the page may send requests to, as a content security policy names it.
    """
    style, code = _asset("style.css"), _asset("tokens.js") + _asset(script)
    rules = ["default-src 'none'", "img-src data:", f"style-src {_hash(style)}", f"script-src {_hash(code)}"]
    policy = "; ".join([*rules, f"connect-src {connect}", "base-uri 'none'", "form-action 'none'"])
    head = "".join(
        [
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            element("title", text_of(title)),
            f"<style>{style}</style>",
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>'
        f'<body>{_header(title)}<main id="main">{body}</main><script>{code}</script></body></html>\n'
    )


def _header(title: str) -> str:
    theme = element(
        "button", "Theme", type="button", id="theme", class_="quiet", title="Switch between light and dark"
    )
    skip = element("a", "Skip to content", href="#main", class_="skip")
    return element(
        "header",
        skip,
        element("h1", text_of(title)),
        element("nav", id="contents", aria_label="Sections"),
        theme,
    )


def _data(name: str, content: str) -> str:
    return f'<script type="application/json" id="{name}">{content}</script>'


def _samples() -> str:
    controls = element(
        "div",
        _select("sample", "Text"),
        _select("reference", "Mark where it differs from"),
        class_="controls",
    )
    hint = "Point at a token, or focus a passage and use the arrow keys, to see its id and bytes."
    return element(
        "section",
        element("h2", "Samples"),
        element("p", hint, class_="note"),
        controls,
        element("output", "Nothing is selected.", id="inspector", aria_live="polite"),
        element("div", id="samples", class_="samples"),
        element("noscript", element("p", "The samples need JavaScript.")),
        id="section-samples",
    )


def _vocabulary() -> str:
    search = element(
        "input", type="search", id="query", placeholder="text, or #id", autocomplete="off", spellcheck="false"
    )
    label = element("label", "Search", search.removesuffix("</input>"))
    return element(
        "section",
        element("h2", "Vocabulary"),
        element(
            "div", _select("tokenizer", "Tokenizer"), _select("filter", "Show"), label, class_="controls"
        ),
        element("p", id="vocabulary-note", class_="note", aria_live="polite"),
        element(
            "div", id="vocabulary", class_="scroll", tabindex="0", role="region", aria_label="Tokens found"
        ),
        element("button", "Show more", type="button", id="more", hidden=True),
        element("noscript", element("p", "The vocabulary needs JavaScript.")),
        id="section-vocabulary",
    )


def _select(name: str, label: str) -> str:
    return element("label", label, element("select", id=name))


def _asset(name: str) -> str:
    return files("tokforge.report").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
