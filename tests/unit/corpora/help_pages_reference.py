"""The slow twin of `tokforge_corpora._help_pages`: the same blocks, by the standard library's HTML parser."""

from html.parser import HTMLParser

from tokforge_corpora._help_pages import CONTENT_END, CONTENT_START

BLOCK_TAGS = frozenset(
    """
    address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li
    ol p section table tbody td th thead tr ul
    """.strip().split()
)
SKIPPED_TAGS = frozenset({"script", "style", "nav", "title", "noscript"})


class _BlockParser(HTMLParser):
    """Collects the text of a page block by block; a ``pre`` is one block and keeps its lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._parts: list[str] = []
        self._pre = 0
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SKIPPED_TAGS:
            self._skipped += 1
        elif tag == "pre":
            self._flush()
            self._pre += 1
        elif tag in BLOCK_TAGS:
            self._end_block(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML knows no self-closing tags: `<br/>` is `<br>`

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED_TAGS:
            self._skipped = max(0, self._skipped - 1)
        elif tag == "pre":
            self._flush()
            self._pre = max(0, self._pre - 1)
        elif tag in BLOCK_TAGS:
            self._end_block(tag)

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._parts.append(data)

    def close(self) -> None:
        super().close()
        self._flush()

    def _end_block(self, tag: str) -> None:
        if not self._pre:
            self._flush()
        elif tag == "br":  # a line break within a listing, not the end of it
            self._parts.append("\n")

    def _flush(self) -> None:
        text = "".join(self._parts)
        self._parts.clear()
        text = text.strip("\r\n") if self._pre else " ".join(text.split())
        if text.strip():
            self.blocks.append(text)


def page_blocks(page: bytes) -> list[str]:
    """Returns the text blocks of one help page, in reading order; a page without content gives none."""
    html = page.decode("utf-8", errors="replace")
    start = html.find(CONTENT_START)
    if start < 0:
        return []
    end = html.find(CONTENT_END, start)
    parser = _BlockParser()
    parser.feed(html[start : end if end >= 0 else len(html)])
    parser.close()
    return parser.blocks
