"""The report and the live page in a real browser: they work, ask nobody else, and run nothing they show."""

from pathlib import Path

import pytest

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


def violations(tab, axe):
    """What axe-core finds by its default rules. Of equal tokens and rows it sees the first few: on thousands
    it takes half a minute, and the contrast of every one is in our own check.
    """
    tab.run(axe + "\n;0")
    few = "{exclude: ['.tokens i:nth-of-type(n+50)', '.hex > :nth-child(n+30)', 'tbody tr:nth-child(n+30)']}"
    shown = "(r) => r.violations.map((v) => v.id + ': ' + v.nodes[0].html.slice(0, 120))"
    return tab.run(f"axe.run({few}).then({shown})")


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
    assert ".text begins at" in shown or "ELF" in shown


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
