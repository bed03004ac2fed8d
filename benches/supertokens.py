"""Tokens across words: training time, memory, and tokens on held-out text, beside plain BPE."""

import argparse
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.measure import Contender, compare, report

SPLITTER = "superbpe-words"


def supertokens(arguments: Sequence[str]) -> str:
    """Trains plain BPE, superbpe at five eighths of the size, and boundless; then encodes held-out text."""
    parser = argparse.ArgumentParser(description=supertokens.__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=65536)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    kinds = {
        "plain": ["--pretokenizer", SPLITTER, "--preset", "text"],
        "superbpe": ["--supertokens", f"superbpe:{options.size * 5 // 8}"],
        "boundless": ["--supertokens", "boundless"],
    }
    with TemporaryDirectory() as folder:
        outputs = {name: Path(folder) / f"{name}.json" for name in kinds}
        contenders = [_contender(name, outputs[name], kinds[name], options) for name in kinds]
        table = report(f"supertokens-{options.size}", _about(options), compare(contenders, runs=options.runs))
        rows = [_held_out(name, path, options.held_out) for name, path in outputs.items()]
    head = "| | tokens | bytes per token | two words | 3 | 4+ | cuts that change | MB/s | times HF |"
    return f"{table}\n\n{head}\n|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows)


def _about(options: argparse.Namespace) -> dict[str, object]:
    return {"corpus": [path.name for path in options.corpus], "vocab_size": options.size}


def _contender(name: str, output: Path, extra: list[str], options: argparse.Namespace) -> Contender:
    corpus = [str(path) for path in options.corpus]
    command = [sys.executable, "-m", "tokforge_cli", "train-bpe", *corpus, "-o", str(output), "--force"]
    return Contender(
        name=name,
        version=version("tokforge"),
        command=[*command, "--quiet", "--vocab-size", str(options.size), *extra],
    )


def _held_out(name: str, path: Path, folder: Path) -> str:
    from tokenizers import Tokenizer as HfTokenizer

    from tokforge import Tokenizer
    from tokforge.supertokens import prompt_boundaries, word_spans

    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    texts = [file.read_text(errors="ignore") for file in files]
    size = sum(len(text.encode()) for text in texts)
    tokenizer, hf = Tokenizer.load(path), HfTokenizer.from_file(str(path))
    tokenizer.encode("warm")
    began = time.process_time()
    ids = [tokenizer.encode(text).tolist() for text in texts]
    seconds = time.process_time() - began
    began = time.process_time()
    theirs = [hf.encode(text, add_special_tokens=False).ids for text in texts]
    ratio = (time.process_time() - began) / seconds
    if ids != theirs:
        raise SystemExit(f"{name}: Hugging Face gives other ids")
    spans, cuts = word_spans(tokenizer, texts), prompt_boundaries(tokenizer, [text[:3000] for text in texts])
    return (
        f"| {name} | {spans.tokens:,} | {size / spans.tokens:.3f} | {spans.two:.1%} | {spans.three:.1%} | "
        f"{spans.four_or_more:.1%} | {cuts.rate:.1%} | {size / seconds / 1e6:.1f} | {ratio:.1f} |"
    )
