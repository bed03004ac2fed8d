"""Bits per byte of one model under new tokenizers, by method and steps of healing: resumable, a cell a line.

    python -m benches.transplant MODEL --target NAME=tokenizer.json ... --text PATH ... -o results.jsonl \\
        [--method length-weighted --method length-weighted:scale=0.85] [--donor NAME=FOLDER] \\
        [--sample PATH ...] [--heal-text PATH ... --steps 50 200 --seed 0 1 --train rows] [--estimate]

The original stands in every table under the target ``none``, healed like the others, so that excess over
it can be read. A line that is there already is not measured again, so a run that was ended goes on where
it was; delete the file to start anew. All cells without healing come first. ``--estimate`` measures nothing:
it multiplies the cells left by the medians of the lines that are there.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from tokforge.transplant import METHODS, transplant
from tokforge.transplant.evaluate import evaluate
from tokforge.transplant.heal import heal

NEEDS = {"text": "sample", "donor": "donor"}


def main():
    given = arguments()
    lines = given.output.read_text().splitlines() if given.output.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["target"], row["method"], row.get("steps", 0), row.get("seed", 0)) for row in rows}
    left = [cell for cell in cells(given) if cell[:4] not in done]
    if given.estimate:
        print(json.dumps(estimate(left, rows), indent=2))
        return
    for name, method, steps, seed, path in left:
        begun = time.perf_counter()
        try:
            found = measure(given, name, method, steps, seed, path)
        except Exception as error:  # one cell that fails must not end a night's run
            found = {"error": repr(error)}
        row = {"target": name, "method": method, "steps": steps, "seed": seed, **found}
        row["cell_seconds"] = time.perf_counter() - begun
        with given.output.open("a") as file:
            file.write(json.dumps(row) + "\n")
        value = row["all"]["value"] if "all" in row else row["error"]
        print(name, method, steps, seed, value, f"{row['cell_seconds']:.0f} s", flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--target", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--donor", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--text", nargs="+", required=True, help="held-out text that is measured")
    parser.add_argument("--sample", nargs="+", default=[], help="text for methods that learn from text")
    parser.add_argument("--heal-text", nargs="+", default=[])
    parser.add_argument("--method", action="append", metavar="NAME[:OPTION=VALUE]")
    parser.add_argument("--embedder")
    parser.add_argument("--steps", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--train", default="rows")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--window", type=int, default=1024)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--estimate", action="store_true")
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def cells(given):
    """Yields (target, method, steps, seed, tokenizer): those without healing first, then step by step."""
    donors = dict(one.split("=", 1) for one in given.donor)
    pairs = [("none", "original", None)]
    for target in given.target:
        name, path = target.split("=", 1)
        have = {"text": bool(given.sample), "donor": name in donors}
        fit = [method for method in METHODS if all(have[need] for need in METHODS[method].needs)]
        pairs += [(name, method, path) for method in given.method or fit]
    plain = [(name, method, 0, 0, path) for name, method, path in pairs]
    healed = [
        (name, method, steps, seed, path)
        for steps in given.steps
        for seed in given.seed
        for name, method, path in pairs
    ]
    return plain + (healed if given.heal_text else [])


def measure(given, target, method, steps, seed, path):
    """Returns the figures of one method on one target after some steps of healing."""
    options = {"window": given.window, "windows": given.windows, "dtype": "bfloat16", "device": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        model, found = Path(given.model), {"label": "original"}
        if path is not None:
            model, found = moved(given, target, method, seed, path, Path(folder))
        if steps:
            training = {"steps": steps, "seed": seed, "train": given.train, "validate_every": 25}
            training |= {"learning_rate": given.learning_rate, "dtype": "bfloat16", "device": "cpu"}
            healed = heal(model, given.heal_text, Path(folder) / "healed", **training).as_dict()
            found["healed"] = {name: healed[name] for name in ("before", "after", "best_step", "tokens")}
            model = Path(folder) / "healed"
        return {**found, **evaluate(model, given.text, **options).as_dict()}


def moved(given, target, method, seed, path, folder):
    """Returns the folder of a transplant, and what it says of itself."""
    name, _, setting = method.partition(":")
    donors = dict(one.split("=", 1) for one in given.donor)
    options = dict(one.split("=", 1) for one in setting.split(",")) if setting else {}
    begun = time.perf_counter()
    made = transplant(
        given.model, path, folder / "out", method=name, checks="tensors", device="cpu", seed=seed,
        options=options, embedder=given.embedder if METHODS[name].compares else None,
        donor=donors.get(target), text=tuple(given.sample),
    )  # fmt: skip
    if made.output is None:
        raise RuntimeError(
            "; ".join(f"{one.name}: {one.detail}" for one in made.checks if one.outcome == "fail")
        )
    return made.output, {"label": made.label, "seconds": time.perf_counter() - begun, "rows": made.plan.rows}


def estimate(left, rows):
    """Returns hours for the cells that are left, by the median seconds of lines with as many steps."""
    by_steps = {}
    for row in rows:
        if "cell_seconds" in row and "error" not in row:
            by_steps.setdefault(row.get("steps", 0), []).append(row["cell_seconds"])
    medians = {steps: statistics.median(found) for steps, found in by_steps.items()}
    counts = {steps: sum(cell[2] == steps for cell in left) for steps in sorted({cell[2] for cell in left})}
    hours = {steps: count * medians[steps] / 3600 for steps, count in counts.items() if steps in medians}
    unknown = [steps for steps in counts if steps not in medians]
    return {"cells_left": counts, "median_seconds": medians, "hours": hours, "not_measured_yet": unknown}


if __name__ == "__main__":
    main()
