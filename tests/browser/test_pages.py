"""The report and the live page in a real browser: they work, ask nobody else, and run nothing they show."""

from pathlib import Path

import pytest

import tokforge
from tokforge.report.page import page

pytestmark = pytest.mark.browser
CHECK = (Path(__file__).parent / "accessibility.js").read_text()
SCREENS = [(1440, False), (1440, True), (390, False), (390, True)]


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]}-{'dark' if screen[1] else 'light'}")
def tab(browser, request):
    width, dark = request.param
    made = browser.page(width, 900, dark)
    yield made
    made.close()


@pytest.fixture(params=[SCREENS[0], SCREENS[3]], ids=["1440-light", "390-dark"])
def half(browser, request):
    """Two of the four screens, for what takes seconds: each width and each scheme once."""
    width, dark = request.param
    made = browser.page(width, 900, dark)
    yield made
    made.close()


@pytest.fixture
def wide(browser):
    made = browser.page()
    yield made
    made.close()


def with_vocabulary(tab, report):
    tab.open(report)
    tab.run("document.getElementById('section-vocabulary').scrollIntoView()")
    tab.wait("document.querySelector('#vocabulary tbody tr')")


def assert_clean(tab, own):
    assert tab.problems == []
    assert tab.run("window.ran") is None
    assert [address for address in tab.requests if not address.startswith((own, "data:"))] == []


def test_the_report_fits_the_screen_and_asks_nobody(tab, report):
    with_vocabulary(tab, report)
    for sample in range(3):
        tab.choose("#sample", sample)
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.requests == [report]
    assert_clean(tab, report)


def test_a_hex_view_beside_another_fits_or_scrolls(tab, report):
    tab.open(report)
    tab.choose("#sample", 2)
    tab.wait("document.querySelector('.hex')")
    wide = tab.run("innerWidth") > 600
    widths = tab.run(
        "Array.from(document.querySelectorAll('.hex'), (one) => [one.scrollWidth, one.clientWidth])"
    )
    assert len(widths) == 3
    if wide:
        assert all(needed <= given for needed, given in widths)
    else:
        assert tab.run("getComputedStyle(document.querySelector('.hex')).overflowX") == "auto"


def violations(tab, axe):
    """What axe-core finds by its default rules in the whole page; 3,000 to 5,000 elements take 8 to 18 s on a
    loaded machine.
    """
    tab.run(axe + "\n;0")
    shown = "(r) => r.violations.map((v) => v.id + ': ' + v.nodes[0].html.slice(0, 120))"
    return tab.run(f"axe.run().then({shown})")


def test_the_report_is_accessible(tab, report):
    with_vocabulary(tab, report)
    assert tab.run(CHECK) == []


def test_axe_finds_nothing_in_the_report(half, report, axe):
    with_vocabulary(half, report)
    assert violations(half, axe) == []


def test_axe_finds_nothing_in_a_program(wide, report, axe):
    wide.open(report)
    wide.choose("#sample", 2)
    wide.wait("document.querySelector('.hex')")
    assert violations(wide, axe) == []


def test_axe_finds_nothing_in_a_mixture(half, mixture, axe):
    half.open(mixture)
    assert violations(half, axe) == []
    assert half.run(CHECK) == []
    assert_clean(half, mixture)


def test_axe_finds_nothing_in_the_live_page(half, live, axe):
    with_tree(half, live)
    assert violations(half, axe) == []


def with_tree(tab, live):
    tab.open(live)
    tab.type("#text", "the thing is in the string")
    tab.wait("document.querySelectorAll('.tokens i').length > 5")
    tab.run("document.querySelector('.tokens i').click()")
    tab.wait("document.querySelector('#tree li')")


def test_the_live_page_is_accessible(tab, live):
    with_tree(tab, live)
    assert tab.run(CHECK) == []
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert_clean(tab, live.split("/?")[0])


def test_searching_the_vocabulary(wide, report):
    with_vocabulary(wide, report)
    everything = wide.run("document.querySelectorAll('#vocabulary tbody tr').length")
    wide.type("#query", " the")
    wide.wait("document.querySelectorAll('#vocabulary tbody tr').length === 1")
    assert wide.run("document.querySelector('#vocabulary .token-text').textContent") == "␣the"
    wide.run("document.querySelector('#query').value = ''")
    wide.choose("#filter", "special")
    wide.wait("document.querySelectorAll('#vocabulary tbody tr').length === 1")
    assert "<img␣src=x" in wide.run("document.querySelector('#vocabulary .token-text').textContent")
    wide.choose("#filter", "all")
    wide.wait(f"document.querySelectorAll('#vocabulary tbody tr').length === {everything}")
    wide.choose("#tokenizer", 1)
    assert everything == 200
    assert_clean(wide, report)


def test_pointing_at_a_token(wide, report):
    wide.open(report)
    wide.hover(".tokens i:nth-of-type(3)")
    wide.wait("document.querySelector('#inspector').textContent.includes('id ')")
    shown = wide.run("document.querySelector('#inspector').textContent")
    assert "byte" in shown
    assert wide.run("document.querySelectorAll('.here').length") >= 3  # it, and its place in the other two
    wide.run("document.querySelector('.tokens').focus()")
    wide.key("ArrowRight")
    wide.wait(f"document.querySelector('#inspector').textContent !== {shown!r}")


def test_disagreements_are_marked(wide, report):
    wide.open(report)
    assert wide.run("document.querySelectorAll('.differs').length") > 0
    wide.choose("#reference", "none")
    assert wide.run("document.querySelectorAll('.differs').length") == 0


def test_a_program_is_shown_in_hexadecimal(wide, report):
    wide.open(report)
    wide.choose("#sample", 2)
    wide.wait("document.querySelector('.hex')")
    shown = wide.run("document.querySelector('.hex').textContent")
    assert ".text (code) began at" in shown or ".text (code) begins at" in shown or "ELF" in shown


def test_hostile_text_is_shown_as_it_is(wide, report):
    wide.open(report)
    wide.choose("#sample", 1)
    shown = wide.run("document.querySelector('.tokens').textContent")
    assert "<script>window.ran·=·1</script>" in shown
    assert (
        "\\u{202e}abc\\u{2066}"
        in shown.replace("\\xe2\\x80\\xae", "\\u{202e}").replace("\\xe2\\x81\\xa6", "\\u{2066}")
        or "\\x" in shown
    )
    assert "\u202e" not in wide.run("document.body.textContent")
    assert_clean(wide, report)


def test_print(wide, report):
    wide.open(report)
    assert wide.pdf().startswith(b"%PDF")
    wide.call("Emulation.setEmulatedMedia", media="print")
    assert wide.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert wide.run("getComputedStyle(document.querySelector('#section-summary table')).display") == "table"


def test_twelve_tokenizers_fit_a_printed_page(browser, tokenizers, tmp_path):
    (tmp_path / "plain.txt").write_bytes(b"the other thing is in the string\n" * 40)
    found = tokforge.compare(
        {f"tokenizer-{n}": tokenizers["other"] for n in range(12)}, [tmp_path / "plain.txt"]
    )
    (tmp_path / "report.html").write_text(page(found))
    tab = browser.page(width=720)  # A4 without its margins, at 96 dots to the inch
    tab.open((tmp_path / "report.html").as_uri())
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("document.querySelectorAll('#section-summary thead th').length") > 12
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.run("[...document.querySelectorAll('table')].every((one) => one.scrollWidth <= innerWidth)")
    tab.close()


def test_the_theme_can_be_switched(wide, report):
    wide.open(report)
    before = wide.run("getComputedStyle(document.body).backgroundColor")
    wide.run("document.querySelector('#theme').click()")
    assert wide.run("getComputedStyle(document.body).backgroundColor") != before


def test_typing_and_switching_tokenizers(wide, live):
    wide.open(live)
    wide.type("#text", "the <img src=x onerror='window.ran = 4'> \u202e")
    wide.wait("document.querySelectorAll('.sample').length === 3")
    assert "<img" in wide.run("document.querySelector('.tokens').textContent")
    wide.run("document.querySelector('#which input').click()")
    wide.wait("document.querySelectorAll('.sample').length === 2")
    wide.run("document.querySelector('.tokens i').click()")
    wide.wait("document.querySelector('#tree li code')")
    assert_clean(wide, live.split("/?")[0])


DROP = """(characters) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File(["€".repeat(characters)], "dropped.txt"));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer }));
}"""


def test_a_dropped_file_is_cut_with_a_word_and_between_characters(wide, live):
    wide.open(live)
    wide.run("document.querySelectorAll('#which input').forEach((box) => box.click())")
    wide.run(f"({DROP})(400000); 0")
    wide.wait(
        "document.querySelector('#drop-note').textContent.startsWith('Only the first 1,048,575 of 1,200,000')"
    )
    assert "\ufffd" not in wide.run("document.querySelector('#text').value.slice(-4)")
    wide.run(f"({DROP})(7); 0")
    wide.wait("document.querySelector('#drop-note').textContent.startsWith('Type or paste')")
    assert_clean(wide, live.split("/?")[0])


def test_a_text_above_the_limit_is_refused_in_words(wide, live):
    wide.open(live)
    fill = "const area = document.querySelector('#text'); area.value = 'ab '.repeat(1500000)"
    wide.run(f"(() => {{ {fill}; area.dispatchEvent(new Event('input')) }})()")
    wide.wait("document.querySelector('#inspector').textContent.startsWith('The text is above 4 MiB')")
    assert_clean(wide, live.split("/?")[0])


def test_cuts_of_other_bytes_are_not_compared(wide, live):
    wide.open(live)
    wide.type("#text", "the thing")
    wide.wait("document.querySelectorAll('.tokens i').length > 5")
    marked = "passages.map((one) => one.root.querySelectorAll('.differs').length > 0)"
    assert wide.run(marked) == [True, True, True]
    wide.run("passages[0].changed = true; markDifferences(passages, 'all')")
    assert wide.run(marked) == [False, True, True]
    wide.run("passages[1].select(0, true)")
    assert wide.run("passages.map((one) => one.root.querySelectorAll('.here').length > 0)") == [
        False,
        True,
        True,
    ]
    wide.run("markDifferences(passages, '0')")
    assert wide.run(marked) == [False, False, False]


def test_a_long_name_breaks_inside_its_cell(browser, tokenizers, tmp_path):
    long = "a_tokenizer_whose_name_is_long_and_has_no_place_to_break_it_anywhere"
    (tmp_path / "text").write_bytes(b"the other thing is in the string\n" * 40)
    found = tokforge.compare(
        {long: tokenizers["<b>plain</b>"], "other": tokenizers["other"]}, [tmp_path / "text"]
    )
    (tmp_path / "report.html").write_text(page(found))
    tab = browser.page(390, 900)
    tab.open((tmp_path / "report.html").as_uri())
    over = "Array.from(document.querySelectorAll('th, td')).filter((one) => one.scrollWidth > one.clientWidth + 1)"
    assert tab.run(f"{over}.map((one) => one.textContent)") == []
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    tab.close()
