"""Help pages: blocks equal the standard library's parser's; menus and scripts are left out."""

import pytest
from help_pages_reference import page_blocks as page_blocks_reference
from hypothesis import given
from hypothesis import strategies as st
from tokforge_corpora._help_pages import page_blocks

PAGE = """<!DOCTYPE html><html><head><title>No</title></head><body><header>Menu</header>
<div id="DisplayArea" itemprop="x"><h1 id="a" dir="auto">
<a name="b"></a>Print &amp; save</h1><!-- <p>no</p> --><p class="c">In  the
<span title="a > b">Basic</span> window&#58;</p><script>if (1 < 2) "<p>no</p>";</script>
<pre dir="auto"><code>
Sub Main
    x = 1<br>    y = 2
End Sub
</code></pre><ul><li>One</li><li> </li><li>Zwei Äpfel</li></ul><nav><p>no</p></nav></div>
<div id="SearchFrame"></div><footer><p>Debug</p></footer></body></html>"""


def test_a_page_gives_its_blocks():
    expected = [
        "Print & save",
        "In the Basic window:",
        "Sub Main\n    x = 1\n    y = 2\nEnd Sub",
        "One",
        "Zwei Äpfel",
    ]
    assert page_blocks(PAGE.encode()) == expected == page_blocks_reference(PAGE.encode())


@pytest.mark.parametrize("page", [b"", b"<p>no display area</p>", b"\xff\xfe"])
def test_a_page_without_content_gives_nothing(page):
    assert page_blocks(page) == []


def test_a_page_that_is_cut_off_keeps_what_it_has():
    page = PAGE[: PAGE.index("Zwei")].encode()
    assert page_blocks(page) == page_blocks_reference(page)
    assert page_blocks(page)[-1] == "One"


TEXT = st.text(alphabet=st.sampled_from("ab \n\u00e4\u0939\u4e2d\"'>"), max_size=8)
TAGS = st.sampled_from(["p", "h1", "div", "li", "td", "span", "a", "code", "pre", "table", "br"])
ATTRIBUTES = st.sampled_from(["", ' id="x"', " dir='a > b'", ' title="it\'s <p>"', " hidden"])
ENTITIES = st.sampled_from(["&amp;", "&lt;p&gt;", "&#65;", "&nbsp;", "&unknown;"])
OTHER = st.sampled_from(
    ["<!-- <p> -->", "<script>'<p>'</script>", "<nav>no</nav>", "<br/>", "<style>p{}</style>"]
)


def element(children):
    return st.builds(
        lambda tag, attributes, inner: f"<{tag}{attributes}>{''.join(inner)}</{tag}>",
        TAGS,
        ATTRIBUTES,
        st.lists(children, max_size=4),
    )


@given(st.lists(st.recursive(TEXT | ENTITIES | OTHER, element, max_leaves=12), max_size=6))
def test_blocks_equal_the_standard_librarys(parts):
    page = f'<div id="DisplayArea">{"".join(parts)}</div><div id="SearchFrame"></div>'.encode()
    assert page_blocks(page) == page_blocks_reference(page)
