"""Markup with nothing in it that was not escaped: the one place where HTML and SVG text is made."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["element", "html_table", "text_of"]


def element(tag: str, *children: str, **attributes: object) -> str:
    """Returns ``<tag attributes>children</tag>``; children are markup, attribute values are escaped here.

    ``class_`` and ``for_`` lose their underscore, others turn theirs into a hyphen; None leaves one out,
    True writes the name alone.

    Example:
        >>> element("a", text_of("<b>"), class_="x", aria_label='"')
        '<a class="x" aria-label="&quot;">&lt;b&gt;</a>'
    """
    written = ""
    for name, value in attributes.items():
        if value is not None and value is not False:
            spelled = name.rstrip("_").replace("_", "-")
            written += f" {spelled}" if value is True else f' {spelled}="{escape(str(value), quote=True)}"'
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def text_of(value: object) -> str:
    """Returns ``value`` as text for markup: escaped, its control and bidirectional characters spelled out."""
    return escape("".join(_visible(char) for char in str(value)), quote=True)


def html_table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, wordy: bool = False
) -> str:
    """Returns a table that scrolls within itself; cells of ``rows`` are markup, ``wordy`` ones words."""
    head = element(
        "tr", *(element("th", text_of(cell), scope="col") if cell else element("td") for cell in header)
    )
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:]))
        for row in rows
    ]
    parts = [element("caption", text_of(caption)), element("thead", head), element("tbody", *body)]
    table = element("table", *parts, class_="wordy" if wordy else None)
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _visible(char: str) -> str:
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"
