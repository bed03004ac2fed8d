"""Three learners by sizes by languages: bytes per token on held-out text, training time, memory.

Each cell is a training process of its own. Cells are appended to a JSON Lines file as they are done, and
those that it holds are not run again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benches.measure import run

LEARNERS: Mapping[str, Sequence[str]] = {
    "plain": ("--pretokenizer", "superbpe-words", "--preset", "text"),
    "random-chunks": ("--supertokens", "random-chunks"),
    "superbpe": ("--supertokens", "superbpe:{transition}"),
    "boundless": ("--supertokens", "boundless"),
}
HEAD = (
    "| text | size | learner | bytes per token | tokens against plain | seconds | peak MB | cuts that change "
    "| spans 2 / 3 / 4+ words |",
    "|---|---|---|---|---|---|---|---|---|",
)


def supertokens_table(arguments: Sequence[str]) -> str:
    """Fills a table; a cell whose text is used up before the size is reached is dropped, and says so."""
    parser = argparse.ArgumentParser(description=supertokens_table.__doc__)
    parser.add_argument("--text", action="append", required=True, metavar="NAME=TRAINING,HELD_OUT")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32768, 65536, 131072])
    parser.add_argument("--cells", type=Path, required=True, help="JSON Lines, appended to")
    options = parser.parse_args(arguments)
    texts = dict(text.split("=", 1) for text in options.text)
    done = {(cell["text"], cell["size"], cell["learner"]): cell for cell in _read(options.cells)}
    for name, places in texts.items():
        training, held_out = map(Path, places.split(","))
        for size in options.sizes:
            for learner in LEARNERS:
                if (name, size, learner) not in done:
                    cell = {"text": name, "size": size, "learner": learner}
                    cell.update(_cell(learner, size, training, held_out))
                    done[name, size, learner] = cell
                    with options.cells.open("a") as file:
                        print(json.dumps(cell), file=file)
    wanted = ((name, size, learner) for name in texts for size in options.sizes for learner in LEARNERS)
    return "\n".join((*HEAD, *(_row(done[key], done) for key in wanted)))


def _read(cells: Path) -> Iterator[dict[str, Any]]:
    if cells.exists():
        yield from map(json.loads, cells.read_text().splitlines())


def _cell(learner: str, size: int, training: Path, held_out: Path) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        output = Path(folder) / "trained.json"
        extra = [part.format(transition=size * 5 // 8) for part in LEARNERS[learner]]
        command = [sys.executable, "-m", "tokforge_cli", "train-bpe", str(training), "-o", str(output)]
        try:
            seconds, _, peak = run([*command, "--quiet", "--vocab-size", str(size), *extra], 3600)
        except subprocess.CalledProcessError:
            return {"left_out": "the word stage ends before the transition, or nothing can be joined"}
        return {"seconds": seconds, "peak_memory_bytes": peak, **_figures(output, size, held_out)}


def _figures(output: Path, size: int, held_out: Path) -> dict[str, Any]:
    from tokforge import Tokenizer
    from tokforge.supertokens import prompt_boundaries, word_spans

    tokenizer = Tokenizer.load(output)
    if tokenizer.vocab_size < size:
        return {"left_out": f"the text is used up at {tokenizer.vocab_size} tokens"}
    files = [file for file in sorted(held_out.rglob("*")) if file.is_file()]
    texts = [file.read_text(errors="ignore") for file in files]
    spans = word_spans(tokenizer, texts)
    return {
        "tokens": spans.tokens,
        "bytes": sum(len(text.encode()) for text in texts),
        "words": [spans.two, spans.three, spans.four_or_more],
        "cuts": prompt_boundaries(tokenizer, [text[:3000] for text in texts]).rate,
        "commonest": [token.decode(errors="replace") for token, _ in spans.commonest[:10]],
    }


def _row(cell: Mapping[str, Any], done: Mapping[tuple[str, int, str], Mapping[str, Any]]) -> str:
    head = f"| {cell['text']} | {cell['size']:,} | {cell['learner']} |"
    if "left_out" in cell:
        return f"{head} dropped: {cell['left_out']} | | | | | |"
    plain = done[cell["text"], cell["size"], "plain"]
    against = f"{cell['tokens'] / plain['tokens'] - 1:+.1%}" if "tokens" in plain else ""
    return (
        f"{head} {cell['bytes'] / cell['tokens']:.3f} | {against} | {cell['seconds']:.1f} | "
        f"{cell['peak_memory_bytes'] / 1e6:.0f} | {cell['cuts']:.1%} | "
        f"{' / '.join(f'{share:.1%}' for share in cell['words'])} |"
    )
