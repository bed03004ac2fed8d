"""Training text of the hypernetwork: six sources, none of which the evaluation text is taken from.

    python -m benches.hypernet_text DEBS DATA OUT

DEBS holds Debian packages (``apt-get download fortunes fortunes-de dict-foldoc debian-handbook linux-doc-6.1
rust-doc sqlite3-doc developers-reference``), DATA the exported corpora text-multilingual and code-mixed. The
evaluation text is READMEs of Python packages, man pages, German man pages and CPython's standard library.
"""

import gzip
import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MOST = 12 << 20
"""Bytes of a source."""
DEBIAN = {
    "prose": ("fortunes", "dict-foldoc", "debian-handbook:en-US", "developers-reference"),
    "documents": ("linux-doc-6.1", "rust-doc", "sqlite3-doc"),
    "german": ("fortunes-de",),
}
DATA = {
    "help": ("text-multilingual/en-us",),
    "german": ("text-multilingual/de",),
    "python": ("code-mixed/python",),
    "code": tuple(f"code-mixed/{name}" for name in ("c", "go", "java", "javascript", "rust")),
}
SUFFIXES = {".html", ".txt", ".rst", ".gz", ".dz", ""}


def main():
    debs, data, out = map(Path, sys.argv[1:])
    for source in dict.fromkeys([*DEBIAN, *DATA]):
        folder = out / source
        folder.mkdir(parents=True, exist_ok=True)
        names = [(name, package(debs, name)) for name in DEBIAN.get(source, ())]
        names += [(name, files(data / name)) for name in DATA.get(source, ())]
        for name, texts in names:
            joined = "\n\n".join(texts).encode()[: MOST // len(names)].decode("utf-8", "ignore")
            (folder / (re.sub(r"\W+", "-", name) + ".txt")).write_text(joined)
            print(source, name, len(joined), flush=True)


def package(debs, name):
    """Yields the texts of a Debian package, or of the part of it whose paths hold what follows the colon."""
    name, _, part = name.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg", "-x", next(debs.glob(f"{name}_*.deb")), folder], check=True)
        yield from files(Path(folder), part)


def files(folder, part=""):
    """Yields the texts below a folder, evenly spaced where there are more than would fit."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    paths = [
        path for path in paths if part in str(path) and (path.suffix != ".html" or "search" not in path.name)
    ]
    is_package = any(path.suffix in (".html", ".dz", ".gz") for path in paths)
    step = max(1, sum(path.stat().st_size for path in paths) // (4 * MOST))
    for path in paths[::step]:
        if is_package and (path.suffix not in SUFFIXES or "/man/" in str(path) or "copyright" in path.name):
            continue
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        text = raw[: 1 << 22].decode("utf-8", "replace")
        if "\0" not in text and text.count("\ufffd") < 1 + len(text) / 1000:
            yield plain(text) if path.suffix == ".html" else text


def plain(page):
    """Returns the text of an HTML page."""
    page = re.sub(r"(?is)<(script|style|nav|head)\b.*?</\1>", " ", page)
    text = html.unescape(re.sub(r"(?s)<[^>]*>", "", page))
    return re.sub(r"\n\s*\n+", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


if __name__ == "__main__":
    main()
