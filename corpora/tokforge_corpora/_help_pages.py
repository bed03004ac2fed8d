"""The text of LibreOffice help pages (HTML), as blocks: one block a heading, paragraph, list item, cell or
listing.

Invariant: only what stands between the page's display area and its search frame is read, so menus, scripts,
footers and the page's title are never part of the text. The blocks depend on the page alone: ``html.parser``,
which is four times slower, changed what it does with comments and scripts between versions of Python. Its
twin on the same pages is ``tests/unit/corpora/_reference.py``.
Complexity: linear in a page whose quotes are closed.
"""

import re
from html import unescape

# The page around the text is the same on every page; these two marks stand once in each.
CONTENT_START = '<div id="DisplayArea"'
CONTENT_END = '<div id="SearchFrame">'

BLOCK_TAG = re.compile(
    "address|article|aside|blockquote|br|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|ol|p|section"
    "|table|tbody|td|th|thead|tr|ul"
)

# A comment, an element whose content is no text, or a tag. A quoted attribute may hold ">".
MARKUP = re.compile(
    r"""<!--.*?-->
    | <(script|style|nav|title|noscript)\b .*? </\1\s*>
    | <(/?) ([a-zA-Z]\w*) (?: [^<>"']++ | "[^"]*+" | '[^']*+' )*+ >""",
    re.DOTALL | re.VERBOSE,
)


def page_blocks(page: bytes) -> list[str]:
    """Returns the text blocks of one help page, in reading order; a page without content gives none.

    A listing (``pre``) is one block and keeps its lines; in any other block, white space is one space.
    """
    html = page.decode("utf-8", errors="replace")
    start = html.find(CONTENT_START)
    if start < 0:
        return []
    end = html.find(CONTENT_END, start)
    return _blocks(html[start : end if end >= 0 else len(html)])


def _blocks(html: str) -> list[str]:
    blocks: list[str] = []
    parts: list[str] = []
    listing = 0  # how many ``pre`` are open
    position = 0

    def flush() -> None:
        text = "".join(parts)
        parts.clear()
        text = text.strip("\r\n") if listing else " ".join(text.split())
        if text.strip():
            blocks.append(text)

    for markup in MARKUP.finditer(html):
        parts.append(unescape(html[position : markup.start()]))
        position = markup.end()
        tag = (markup[3] or "").lower()
        if tag == "pre":
            flush()
            listing = max(0, listing - 1) if markup[2] else listing + 1
        elif tag == "br" and listing:
            parts.append("\n")
        elif not listing and BLOCK_TAG.fullmatch(tag):
            flush()
    parts.append(unescape(html[position:]))
    flush()
    return blocks
