"""`compare` at scale: ten tokenizers, sixteen texts of 5 MB, one process; time and peak memory."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Contender, compare, report

TEXTS, TOKENIZERS, MEGABYTES = 16, 10, 5


def compare_at_scale(arguments: Sequence[str]) -> str:
    """`tokforge compare` over the first sixteen folders of ``corpus``, each repeated to 5 MB.

    The tokenizers are those of the folder ``tokenizers`` beside it, one a folder,
    repeated under other names where there are fewer than ten.
    """
    parser = argparse.ArgumentParser(prog="python -m benches compare", description=compare_at_scale.__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    corpus, runs = options.corpus, options.runs
    with TemporaryDirectory() as folder:
        texts = [_filled(group, Path(folder) / group.name) for group in _folders(corpus)[:TEXTS]]
        tokenizers = _ten(corpus.parent / "tokenizers", Path(folder))
        command = [sys.executable, "-m", "tokforge_cli", "compare", *tokenizers, "--text", *texts]
        page = ["--html", f"{folder}/report.html", "--quiet", "--json"]
        ours = Contender(name="tokforge compare", version="this tree", command=[*command, *page])
        about = {"corpus": f"{len(texts)} texts of {MEGABYTES} MB", "tokenizers": len(tokenizers)}
        table = report("compare", about, compare([ours], runs=runs))
        return f"{table}\n\nreport: {Path(folder, 'report.html').stat().st_size / 1e6:.2f} MB"


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _filled(group: Path, target: Path) -> str:
    """Writes the files of ``group`` in turn, again from the first, until there are 5 MB."""
    files = sorted(path for path in group.rglob("*") if path.is_file() and path.stat().st_size)
    target.mkdir()
    written = number = 0
    while written < MEGABYTES * 1e6:
        data = files[number % len(files)].read_bytes()
        (target / f"{number:06d}.txt").write_bytes(data)
        written, number = written + len(data), number + 1
    return str(target)


def _ten(folder: Path, beside: Path) -> list[str]:
    found = _folders(folder)
    paths = [str(path) for path in found[:TOKENIZERS]]
    for number in range(TOKENIZERS - len(paths)):
        link = beside / "again" / f"{found[number].name}-again"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(found[number].resolve())
        paths.append(str(link))
    return paths
