"""Training beside the peers: the same files, the same size, each in a process of its own."""

import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Contender, compare, report

PEERS = Path(__file__).parent / "peers"


def train_binaries(corpus: Path, *, size: int, runs: int) -> str:
    """Unsplit executables: tokforge against bbpe.

    bbpe runs with its defaults (chunks of 8,192 bytes, tokens of 1 to 32 bytes) and our frequency floor.
    From 0.6.0 on it bans merges that end in white space, which cannot be switched off; it saves it work.
    """
    contenders = [_tokforge(corpus, size, "--preset", "binary")]
    if bbpe := shutil.which("bbpe"):
        options = ["--vocab-size", str(size), "--min-frequency", "2", "--disable-reasoning-tokens"]
        output = ["-o", "/tmp/bbpe.json", "--no-progress", "-q"]
        contenders.append(
            Contender(name="bbpe", version="0.6.3", command=[bbpe, "train", str(corpus), *options, *output])
        )
    return report(f"train-binaries-{size}", _about(corpus, size), compare(contenders, runs=runs))


def train_text(corpus: Path, *, size: int, runs: int) -> str:
    """Text in words (GPT-2's pattern): tokforge against the trainers in use.

    All read the same files, one for each folder of the corpus: opening tens of thousands of small files
    would otherwise be part of what is measured.
    """
    with TemporaryDirectory() as folder:
        return _train_text(_joined(corpus, Path(folder)), size=size, runs=runs)


def _joined(corpus: Path, folder: Path) -> Path:
    joined = folder / corpus.name
    joined.mkdir()
    for group in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = sorted(path for path in group.rglob("*") if path.is_file())
        (joined / group.name).write_bytes(b"\n".join(path.read_bytes() for path in files))
    return joined


def _train_text(corpus: Path, *, size: int, runs: int) -> str:
    contenders = [_tokforge(corpus, size, "--pretokenizer", "gpt2", "--min-frequency", "0")]
    for name in ("gigabpe", "rustbpe", "tokenizers"):
        try:
            found = version(name)
        except PackageNotFoundError:
            print(f"{name} is not installed; its row is left out", file=sys.stderr)
            continue
        command = [sys.executable, str(PEERS / f"train_{name}.py"), str(corpus), str(size)]
        contenders.append(Contender(name=name, version=found, command=command))
    return report(f"train-text-{size}", _about(corpus, size), compare(contenders, runs=runs))


def _tokforge(corpus: Path, size: int, *options: str) -> Contender:
    command = [sys.executable, "-m", "tokforge_cli", "train-bpe", str(corpus), "--vocab-size", str(size)]
    output = ["-o", "/tmp/tokforge.json", "--force", "--quiet"]
    return Contender(name="tokforge", version=version("tokforge"), command=[*command, *options, *output])


def _about(corpus: Path, size: int) -> dict[str, object]:
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    return {"corpus": f"{corpus.name}, {megabytes:.1f} MB in {len(files)} files", "vocab_size": size}
