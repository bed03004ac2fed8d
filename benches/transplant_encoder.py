"""A sentence encoder under a new tokenizer: R@1 and overlap@10 beside the original's.

    python -m benches.transplant_encoder MODEL TOKENIZER --text PATH ... --train PATH ... [--steps 500]

Prints one JSON object a method. Texts that are measured and texts that are trained on must be other files.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from tokforge.transplant import transplant
from tokforge.transplant.evaluate.encoder import compare_encoders
from tokforge.transplant.evaluate.windows import cut_windows
from tokforge.transplant.heal.encoder import heal_encoder


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("tokenizer")
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--method", action="append")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--windows", type=int, default=100, help="of each path of --text")
    given = parser.parse_args()
    texts = [one.text for one in cut_windows(given.train, size=512, count=1 + 8 * given.steps)]
    for method in given.method or ("length-weighted", "tokenadapt"):
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            out, healed = Path(folder) / "out", Path(folder) / "healed"
            made = transplant(
                given.model, given.tokenizer, out, method=method, checks="tensors", device="cpu"
            )
            row = {"method": made.label, "rows": made.plan.rows}
            if made.output is None:
                row["failed"] = [one.as_dict() for one in made.checks if one.outcome == "fail"]
            else:
                row["zero_shot"] = compare_encoders(out, given.model, given.text, windows=given.windows)
                row["training"] = heal_encoder(out, given.model, texts, healed, steps=given.steps)
                row["distilled"] = compare_encoders(healed, given.model, given.text, windows=given.windows)
        print(json.dumps({**row, "seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main()
