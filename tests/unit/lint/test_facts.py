"""Facts that rules carry, read again from the libraries that are installed."""

import json
import sys
import unicodedata

import pytest
import regex

from tokforge.lint.classes import CLASSES, signature
from tokforge.lint.documents import Document
from tokforge.lint.unicode_ages import ADDED, REPRESENTATIVES

_core = pytest.importorskip("tokforge._core", reason="the engine is not built")


@pytest.mark.oracle
@pytest.mark.parametrize("name", CLASSES)
def test_transformers_builds_what_the_table_says(name):
    transformers = pytest.importorskip("transformers", minversion="5.0")
    made = getattr(transformers, name, None)
    if made is None:
        pytest.skip(f"this transformers has no {name}")
    built = json.loads(made().backend_tokenizer.to_str())
    assert signature(Document("built", built)) == CLASSES[name]


def test_representatives_have_their_category():
    assert {char: unicodedata.category(char) for char in REPRESENTATIVES.values()} == {
        char: kind for kind, char in REPRESENTATIVES.items()
    }
    assert set(REPRESENTATIVES) == {kind for added in ADDED.values() for kind in added}


@pytest.mark.oracle
@pytest.mark.skipif(
    unicodedata.unidata_version != "14.0.0" or not _core.UNICODE_VERSION.startswith("16."),
    reason="counts are taken between Python 3.11's tables and the engine's",
)
def test_counts_of_added_characters():
    # Between each two a character that no version has: runs of one category must not join.
    newer = "\u0378".join(
        chr(code)
        for code in range(sys.maxunicode + 1)
        if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) == "Cn"
    )
    version_17 = {kind: len(regex.findall(rf"\p{{{kind}}}", newer)) for kind in REPRESENTATIVES}
    version_16 = {}
    for kind in REPRESENTATIVES:
        spans = _core.Splitter([rf"regex:\p{{{kind}}}+"]).split(newer.encode())
        pieces = (newer.encode()[start:end].decode() for start, end in spans)
        version_16[kind] = sum(len(piece) for piece in pieces if regex.fullmatch(rf"\p{{{kind}}}+", piece))
    assert {kind: count for kind, count in version_16.items() if count} == ADDED["15.0 to 16.0"]
    both = {kind: ADDED["15.0 to 16.0"].get(kind, 0) + ADDED["17.0"].get(kind, 0) for kind in REPRESENTATIVES}
    assert version_17 == both
