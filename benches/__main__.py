"""`python -m benches TABLE --corpus FOLDER`: measures one table and prints it as Markdown.

`python -m benches oracle-tokenizers FOLDER --text PATH...` compares ids with Hugging Face's.
"""

import argparse
import sys
from pathlib import Path

from benches.oracle import oracle_tokenizers
from benches.training import train_binaries, train_text

TABLES = {"train-binaries": train_binaries, "train-text": train_text}


def main() -> None:
    if sys.argv[1:2] == ["oracle-tokenizers"]:
        return print(_oracle(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument(
        "--corpus", type=Path, required=True, help="a folder, as `corpora fetch --export` makes"
    )
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    return print(TABLES[options.table](options.corpus, size=options.size, runs=options.runs))


def _oracle(arguments: list[str]) -> str:
    parser = argparse.ArgumentParser(prog="python -m benches oracle-tokenizers")
    parser.add_argument("folder", type=Path, help="holds tokenizer.json files, each in a folder of its name")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="folders of text")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--only", nargs="*", default=())
    options = parser.parse_args(arguments)
    return oracle_tokenizers(options.folder, options.text, options.megabytes, options.only)


if __name__ == "__main__":
    main()
