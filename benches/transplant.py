"""Bits per byte of one model under new tokenizers, by method: resumable, one line of JSON a measurement.

    python -m benches.transplant MODEL --target NAME=tokenizer.json ... --text PATH ... -o results.jsonl \\
        [--method length-weighted --method length-weighted:scale=0.85]

The original stands in every table under the target ``none``. A line that is there already is not measured
again, so a run that was ended goes on where it was; delete the file to start anew.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from tokforge.transplant import transplant
from tokforge.transplant.evaluate import evaluate

METHODS = ("random", "mean", "fvt", "length-weighted", "position-weighted", "tokenadapt", "composed", "ridge")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--target", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--method", action="append", metavar="NAME[:OPTION=VALUE]")
    parser.add_argument("--embedder")
    parser.add_argument("--window", type=int, default=1024)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    lines = given.output.read_text().splitlines() if given.output.exists() else []
    done = {(row["target"], row["method"]) for row in map(json.loads, lines)}
    wanted = [("none", "original", None)]
    for target in given.target:
        name, path = target.split("=", 1)
        wanted += [(name, method, path) for method in given.method or METHODS]
    for name, method, path in wanted:
        if (name, method) not in done:
            row = {"target": name, "method": method, **measure(given, method, path)}
            with given.output.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(name, method, round(row["all"]["value"], 4), flush=True)


def measure(given, method, path):
    """Returns the figures of one method on one target, and of the seconds that it took."""
    options = {"window": given.window, "windows": given.windows, "dtype": "bfloat16", "device": "cpu"}
    if path is None:
        return {"label": "original", **evaluate(given.model, given.text, **options).as_dict()}
    name, _, setting = method.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        made = transplant(
            given.model, path, Path(folder) / "out", method=name, checks="tensors", device="cpu",
            options=dict([setting.split("=", 1)] if setting else []), embedder=given.embedder,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        found = evaluate(Path(folder) / "out", given.text, **options).as_dict()
        return {"label": made.label, "seconds": seconds, "rows": made.plan.rows, **found}


if __name__ == "__main__":
    main()
