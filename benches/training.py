"""Training beside the peers: the same files, the same size, each in a process of its own."""

import argparse
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Contender, compare, report

PEERS = Path(__file__).parent / "peers"
TEXT_PEERS = ("gigabpe", "rustbpe", "tokenizers")
BBPE = "0.6.3"


def train_binaries(arguments: Sequence[str]) -> str:
    """Unsplit executables: tokforge against bbpe.

    bbpe runs with its defaults (chunks of 8,192 bytes, tokens of 1 to 32 bytes) and our frequency floor.
    From 0.6.0 on it bans merges that end in white space, which cannot be switched off; it saves it work.
    """
    parser = _parser(train_binaries, size=4096)
    parser.add_argument("--peer-size", type=int, help="bbpe's vocabulary, where ours would take it hours")
    options = parser.parse_args(arguments)
    contenders = [tokforge(options.corpus, options.size, "--preset", "binary")]
    if shutil.which("bbpe"):
        contenders.append(bbpe(options.corpus, options.peer_size or options.size))
    about = _about(options.corpus, options.size) | {"bbpe's vocab_size": options.peer_size or options.size}
    return report(f"train-binaries-{options.size}", about, compare(contenders, runs=options.runs))


def train_text(arguments: Sequence[str]) -> str:
    """Text in words (GPT-2's pattern): tokforge against the trainers in use.

    All read the same files, one for each folder of the corpus: opening tens of thousands of small files
    would otherwise be part of what is measured, as it is with --as-they-are.
    """
    parser = _parser(train_text, size=32768)
    parser.add_argument("--as-they-are", action="store_true", help="the corpus' own files, not joined")
    parser.add_argument("--peers", nargs="*", default=list(TEXT_PEERS), choices=TEXT_PEERS)
    options = parser.parse_args(arguments)
    if options.as_they_are:
        contenders = text_contenders(options.corpus, options.size, options.peers)
        return _text_report(f"train-files-{options.corpus.name}", options.corpus, contenders, options)
    with TemporaryDirectory() as folder:
        joined = _joined(options.corpus, Path(folder))
        contenders = text_contenders(joined, options.size, options.peers)
        return _text_report(f"train-text-{options.corpus.name}", joined, contenders, options)


def train_lines(arguments: Sequence[str]) -> str:
    """As train-text, on the corpus' distinct lines: few words occur often, so there are more to merge."""
    options = _parser(train_lines, size=32768).parse_args(arguments)
    with TemporaryDirectory() as folder:
        joined = _joined(options.corpus, Path(folder))
        lines = {line for path in sorted(joined.iterdir()) for line in path.read_bytes().split(b"\n")}
        for path in joined.iterdir():
            path.unlink()
        (joined / "lines").write_bytes(b"\n".join(sorted(lines)))
        contenders = text_contenders(joined, options.size)
        return _text_report(f"train-lines-{options.corpus.name}", joined, contenders, options)


def train_one_line(arguments: Sequence[str]) -> str:
    """Files without a line break: letters of DNA, zeros, or a file given, made into one line."""
    parser = argparse.ArgumentParser(
        prog="python -m benches train-one-line", description=train_one_line.__doc__
    )
    parser.add_argument("what", help="dna, zeros, or a file or folder whose line breaks are dropped")
    parser.add_argument("--megabytes", type=float, default=45)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peers", nargs="*", default=["gigabpe"], choices=TEXT_PEERS)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which one is stopped")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        corpus = Path(folder) / Path(options.what).name
        corpus.mkdir()
        (corpus / "line").write_bytes(_one_line(options.what, int(options.megabytes * 1e6)))
        contenders = text_contenders(corpus, options.size, options.peers)
        return _text_report(f"train-one-line-{corpus.name}", corpus, contenders, options)


def _one_line(what: str, length: int) -> bytes:
    if what == "zeros":
        return b"0" * length
    if what == "dna":
        return bytes(random.Random(0).choices(b"ACGT", k=length))
    path = Path(what)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return b"".join(file.read_bytes().translate(None, b"\r\n") for file in files)[:length]


def tokforge(corpus: Path, size: int, *options: str) -> Contender:
    """Our command in a process of its own."""
    command = [sys.executable, "-m", "tokforge_cli", "train-bpe", str(corpus), "--vocab-size", str(size)]
    output = ["-o", "/tmp/tokforge.json", "--force", "--quiet"]
    return Contender(name="tokforge", version=version("tokforge"), command=[*command, *options, *output])


def bbpe(corpus: Path, size: int) -> Contender:
    """Crate bbpe's command, which must be on the PATH."""
    options = ["--vocab-size", str(size), "--min-frequency", "2", "--disable-reasoning-tokens"]
    output = ["-o", "/tmp/bbpe.json", "--no-progress", "-q"]
    return Contender(name="bbpe", version=BBPE, command=["bbpe", "train", str(corpus), *options, *output])


def text_contenders(corpus: Path, size: int, peers: Sequence[str] = TEXT_PEERS) -> list[Contender]:
    """tokforge and the peers that are installed."""
    return [
        tokforge(corpus, size, "--pretokenizer", "gpt2", "--min-frequency", "0"),
        *(
            Contender(
                name=name,
                version=found,
                command=[sys.executable, str(PEERS / f"train_{name}.py"), str(corpus), str(size)],
            )
            for name, found in installed(peers)
        ),
    ]


def installed(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields each package that is there with its version, and says which are not."""
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            print(f"{name} is not installed; its row is left out", file=sys.stderr)


def _parser(table: Callable[..., str], *, size: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benches", description=table.__doc__)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="a folder, as `corpora fetch --export` makes"
    )
    parser.add_argument("--size", type=int, default=size)
    parser.add_argument("--runs", type=int, default=3)
    return parser


def _joined(corpus: Path, folder: Path) -> Path:
    joined = folder / corpus.name
    joined.mkdir()
    for group in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = sorted(path for path in group.rglob("*") if path.is_file())
        (joined / group.name).write_bytes(b"\n".join(path.read_bytes() for path in files))
    return joined


def _text_report(
    table: str, corpus: Path, contenders: Sequence[Contender], options: argparse.Namespace
) -> str:
    about = _about(corpus, options.size) | {"distinct words": f"{_distinct_words(corpus):,}"}
    limit = getattr(options, "limit", 3600)
    measured = compare(contenders, runs=options.runs, limit_seconds=limit)
    return report(f"{table}-{options.size}", about, measured)


def _distinct_words(corpus: Path) -> int:
    from tokforge import _core

    counts = _core.WordCounts(_core.Splitter(["gpt2"]), 1)
    for path in (path for path in corpus.rglob("*") if path.is_file()):
        counts.add([path.read_bytes()])
    return len(counts)


def _about(corpus: Path, size: int) -> dict[str, object]:
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    return {"corpus": f"{corpus.name}, {megabytes:.1f} MB in {len(files)} files", "vocab_size": size}
