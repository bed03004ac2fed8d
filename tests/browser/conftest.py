"""A browser, and the pages it is shown: a report and a live page with hostile tokens among plain ones."""

import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from chromium import Browser, find_chromium

import tokforge
from tokforge import AddedToken, Tokenizer
from tokforge.mixture.page import mixture_page
from tokforge.report.page import page
from tokforge.report.server import Server
from tokforge.tokenizer import Pipeline, initial_bytes

HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\u202eabc\u2066 \x1b[31m &lt;b&gt; </textarea>"


def make(*merged):
    tokens, merges = [None, *initial_bytes()], []
    for token in merged:
        cut = next(at for at in range(len(token) - 1, 0, -1) if token[:at] in tokens and token[at:] in tokens)
        merges.append((tokens.index(token[:cut]), tokens.index(token[cut:]), len(tokens)))
        tokens.append(token)
    added = [AddedToken(0, "<img src=x onerror='window.ran = 3'>")]
    return Tokenizer.from_parts(tokens, merges, pipeline=Pipeline("text", ("gpt2",)), added_tokens=added)


@pytest.fixture(scope="session")
def tokenizers():
    return {
        "<b>plain</b>": make(b"th", b"the", b" t", b" th", b" the"),
        "other": make(b"he", b"</", b"<s", b"in"),
        "third": make(b"in", b"ing", b"th"),
    }


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    pytest.importorskip("websocket", reason="websocket-client is not installed")
    made = Browser(program, tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def report(tokenizers, tmp_path_factory):
    """The address of a report on plain text, hostile text and a program."""
    folder = tmp_path_factory.mktemp("report")
    for name, data in {
        "plain.txt": b"the other thing is in the string\n" * 40,
        "hostile.txt": (HOSTILE + "\n").encode() * 30,
        "program": Path("/bin/ls").read_bytes()[:40_000],
    }.items():
        (folder / name).write_bytes(data)
    found = tokforge.compare(tokenizers, [folder / "plain.txt", folder / "hostile.txt", folder / "program"])
    (folder / "report.html").write_text(page(found))
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="session")
def live(tokenizers):
    """The address of a live page."""
    server = Server(tokenizers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, as a package of Python carries it; nothing of that package is run."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-playwright-python is not installed: its axe-core checks the pages")
    return Path(package.origin).with_name("axe.min.js").read_text()


@pytest.fixture(scope="session")
def mixture(tmp_path_factory):
    """The address of an inferred mixture's page, one category with a hostile name."""
    folder = tmp_path_factory.mktemp("mixture")
    for name, text in {
        "<b>": "the cat sat on the mat and ate " * 200,
        "other": "ein Kater sitzt dort " * 300,
    }.items():
        (folder / "refs" / name).mkdir(parents=True)
        (folder / "refs" / name / "a.txt").write_text(text)
    trained = tokforge.train_bpe([str(folder / "refs")], vocab_size=300, pretokenizer="gpt2")
    figures = tokforge.infer_mixture(trained, folder / "refs").as_dict()
    (folder / "page.html").write_text(mixture_page(figures, "<b>theirs</b>"))
    return (folder / "page.html").as_uri()
