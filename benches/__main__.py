"""`python -m benches TABLE --corpus FOLDER`: measures one table and prints it as Markdown."""

import argparse
from pathlib import Path

from benches.compare import compare_at_scale
from benches.training import train_binaries, train_text

TABLES = {"compare": compare_at_scale, "train-binaries": train_binaries, "train-text": train_text}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument(
        "--corpus", type=Path, required=True, help="a folder, as `corpora fetch --export` makes"
    )
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(TABLES[options.table](options.corpus, size=options.size, runs=options.runs))


if __name__ == "__main__":
    main()
