"""Encoding beside the peers: one thread, a fresh process each, the time of the encoding alone."""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benches.measure import RESULTS, machine
from benches.training import BBPE, PEERS, installed

DOCUMENT = 100_000
"""Characters of a document of text."""


def encode_text(arguments: Sequence[str]) -> str:
    """Text and code in documents of 100,000 characters, caches empty: gigatoken, tiktoken and more."""
    options = _parser("encode-text", encode_text.__doc__).parse_args(arguments)
    return _table(options, "text", options.peers or ["gigatoken", "tiktoken", "tokie"])


def encode_binaries(arguments: Sequence[str]) -> str:
    """Executables, each one document: against tokie and bbpe, whose time is that of its whole process."""
    options = _parser("encode-binaries", encode_binaries.__doc__).parse_args(arguments)
    return _table(options, "binary", options.peers or ["tokie"])


def _parser(table: str, about: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m benches {table}", description=about)
    parser.add_argument(
        "corpus", type=Path, nargs="+", help="files or folders; of each the beginning is taken"
    )
    parser.add_argument("--tokenizer", type=Path, required=True, help="a tokenizer.json")
    parser.add_argument("--megabytes", type=float, default=40)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", nargs="*", help="others than the default, as tokenizers, which is slow")
    parser.add_argument("--threads", type=int, default=1, help="for tokforge alone")
    return parser


def _table(options: argparse.Namespace, kind: str, peers: Sequence[str]) -> str:
    found = [("tokforge", f"this tree, {options.threads} thread(s)"), *installed(peers)]
    with TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        documents.write_bytes(_documents(options.corpus, int(options.megabytes * 1e6), kind))
        rows: dict[str, list[dict[str, object]]] = {name: [] for name, _ in found}
        for _ in range(options.runs):
            for name, _ in found:
                rows[name].append(_run(name, options, documents, kind))
        if kind == "binary" and shutil.which("bbpe"):
            found.append(("bbpe", BBPE))
            rows["bbpe"] = [_run("bbpe", options, documents, kind)]
    return _report(options, kind, found, rows)


def _documents(corpora: Sequence[Path], total: int, kind: str) -> bytes:
    """Returns documents end to end, each behind its length in bytes (8, little-endian)."""
    texts = []
    for corpus in corpora:
        files = [corpus] if corpus.is_file() else sorted(path for path in corpus.rglob("*") if path.is_file())
        share, data = total // len(corpora), bytearray()
        for path in files:
            data += path.read_bytes()[: share - len(data)]
        texts += _cut(bytes(data), kind)
    return b"".join(len(text).to_bytes(8, "little") + text for text in texts)


def _cut(data: bytes, kind: str) -> list[bytes]:
    if kind == "binary":
        return [data]
    text = data.decode("utf-8", errors="ignore")
    return [text[at : at + DOCUMENT].encode() for at in range(0, len(text), DOCUMENT)]


def _run(name: str, options: argparse.Namespace, documents: Path, kind: str) -> dict[str, object]:
    program = [sys.executable, str(PEERS / f"encode_{name}.py"), str(options.tokenizer), str(documents)]
    extra = [kind, str(options.threads)] if name == "tokforge" else [kind]
    done = subprocess.run([*program, *extra], capture_output=True, text=True, check=True)
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(f"{name:12} {row['megabytes_per_second']:8.1f} MB/s", file=sys.stderr)
    return row


def _report(
    options: argparse.Namespace,
    kind: str,
    found: Sequence[tuple[str, str]],
    rows: dict[str, list[dict[str, object]]],
) -> str:
    ours = median(float(str(row["megabytes_per_second"])) for row in rows["tokforge"])
    digest = rows["tokforge"][0]["digest"]
    lines = ["| | version | MB/s | tokforge is | ids |", "|---|---|---|---|---|"]
    for name, version in found:
        speed = median(float(str(row["megabytes_per_second"])) for row in rows[name])
        same = "equal" if rows[name][0]["digest"] == digest else "**different**"
        lines.append(f"| {name} | {version} | {speed:.1f} | {ours / speed:.2f}x | {same} |")
    corpora = ", ".join(corpus.name for corpus in options.corpus)
    about = (
        f"{corpora}, {options.megabytes:g} MB; {options.tokenizer}; medians of {options.runs}; {machine()}"
    )
    record = {"about": about, "rows": rows, "versions": dict(found)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"encode-{kind}-{options.corpus[0].name}.json").write_text(json.dumps(record, indent=2) + "\n")
    return about + "\n\n" + "\n".join(lines)
