"""Figures of a hypernetwork: bits per byte beside the heuristics, and rows that it has never seen.

    python -m benches.hypernet table MODEL HYPERNET --target NAME=tokenizer.json --text PATH ... -o out.jsonl
    python -m benches.hypernet rows MODEL HYPERNET
    python -m benches.hypernet curve HYPERNET
    python -m benches.hypernet ship HYPERNET OUT

``table`` adds one line a measurement and leaves out those that are there, so it can be ended and resumed. It
prints the table with paired intervals (bootstrap over windows) against the best heuristic. ``rows`` gives the
centred cosine of the model's own tokens that stage 1 held out, by class; ``curve`` the validation figures;
``ship`` copies the network in half precision, with its log.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from tokforge.transplant import transplant
from tokforge.transplant.evaluate import evaluate
from tokforge.transplant.evaluate.bits import WindowBits
from tokforge.transplant.evaluate.figures import bits_per_byte
from tokforge.transplant.vocabulary import Vocabulary

HEURISTICS = ("length-weighted", "tokenadapt", "composed", "uniform-in-length-out")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figure", choices=("table", "rows", "curve", "ship"))
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--target", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--text", nargs="+")
    parser.add_argument("--method", nargs="+", default=[*HEURISTICS, "hypernet"])
    parser.add_argument("--window", type=int, default=1024)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    {"table": table, "rows": held_out_rows, "curve": curve, "ship": ship}[given.figure](given)


def table(given):
    model, network = given.folders
    label = f"hypernet:{network}@{json.loads((Path(network) / 'hypernet.json').read_text())['step']}"
    lines = given.output.read_text().splitlines() if given.output.exists() else []
    rows = {(row["target"], row["method"]): row for row in map(json.loads, lines)}
    wanted = [("none", "original", None)]
    for target in given.target:
        name, path = target.split("=", 1)
        wanted += [(name, label if method == "hypernet" else method, path) for method in given.method]
    for name, method, path in wanted:
        if (name, method) not in rows:
            row = {"target": name, "method": method, **measure(given, model, network, method, path)}
            rows[name, method] = row
            with given.output.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(name, method, round(sum(row["bits"]) / sum(row["bytes"]), 4), flush=True)
    show(rows)


def measure(given, model, network, method, path):
    """Returns bits and bytes of each window."""
    options = {"window": given.window, "windows": given.windows, "dtype": "bfloat16", "device": "cpu"}
    if path is None:
        return windows_of(evaluate(model, given.text, **options))
    is_net = method.startswith("hypernet")
    more = {"method": "hypernet", "hypernet": network} if is_net else {"method": method}
    with tempfile.TemporaryDirectory() as folder:
        mapping = first_token(Vocabulary.load(model), Vocabulary.load(path))
        transplant(model, path, Path(folder) / "out", checks="tensors", device="cpu", mapping=mapping, **more)
        return windows_of(evaluate(Path(folder) / "out", given.text, **options))


def first_token(old, new):
    """Maps the token that stands before a text where the target has none of that name or role: GPT-2."""
    bos = old.added[old.roles["bos"]]
    return {} if bos in new.id_of_added or "bos" in new.roles else {new.added[min(new.special)]: bos}


def windows_of(found):
    return {
        "sources": [window.source for window in found.windows],
        "bits": [one.bits for one in found.bits],
        "bytes": [one.bytes for one in found.bits],
    }


def show(rows):
    """Prints the table: each method's mean, and the difference from the best heuristic with its interval."""
    original = rows["none", "original"]
    print("| target | method | bits/byte | minus the best heuristic, 95% | part of its excess |\n|-|-|-|-|-|")
    for target in dict.fromkeys(name for name, _ in rows if name != "none"):
        mine = {method: row for (name, method), row in rows.items() if name == target}
        plain = {method: value(row) for method, row in mine.items() if not method.startswith("hypernet")}
        best = min(plain, key=plain.get) if plain else next(iter(mine))
        for method, row in mine.items():
            apart = bits_per_byte(bits_of(row), bits_of(mine[best]))
            excess = (value(row) - value(original)) / (value(mine[best]) - value(original))
            interval = f"{apart.value:+.3f} ({apart.low:+.3f} to {apart.high:+.3f})"
            print(f"| {target} | {method} | {value(row):.3f} | {interval} | {excess:.2f} |")
    print(f"| none | original | {value(original):.3f} | | |")


def value(row):
    return sum(row["bits"]) / sum(row["bytes"])


def bits_of(row):
    fields = {"tokens": 1, "new_bits": 0.0, "new_tokens": 0, "new_bytes": 0, "lossy": False}
    return [WindowBits(bits=b, bytes=n, **fields) for b, n in zip(row["bits"], row["bytes"], strict=True)]


def held_out_rows(given):
    import torch

    from tokforge.transplant.hypernet.cuts import cuts_of
    from tokforge.transplant.hypernet.host import Host
    from tokforge.transplant.hypernet.reconstruction import OwnTokens
    from tokforge.transplant.hypernet.storage import load_hypernet

    model, network = given.folders
    host = Host.open(model)
    net = load_hypernet(network, host)
    pieces = OwnTokens(host.old, host.checkpoint.rows, 0).cuts(0, held_out=True)
    cuts = cuts_of(list(pieces.values()), host.old, host.checkpoint.rows)
    ids, weights = torch.from_numpy(cuts.ids), torch.from_numpy(cuts.weights)
    with torch.inference_mode():
        found = torch.cat(list(net(host.rows, ids, weights).values()), 1)
    base = torch.einsum("tp,tpd->td", weights, host.rows.table[ids.clamp(min=0)])
    true = host.rows.table[torch.tensor(list(pieces))]
    cosines = [
        torch.cosine_similarity(x - host.rows.mean, true - host.rows.mean).numpy() for x in (base, found)
    ]
    kinds = np.array([kind(host.old.keys[i]) for i in pieces])
    print("| class | tokens | length-weighted | hypernet |\n|-|-|-|-|")
    for name in [*dict.fromkeys(kinds.tolist()), "all"]:
        kept = (kinds == name) | (name == "all")
        print(f"| {name} | {kept.sum()} | {cosines[0][kept].mean():.3f} | {cosines[1][kept].mean():.3f} |")


def kind(key):
    if not key.decode("utf-8", "ignore").strip():
        return "white space or part of a character"
    text = key.decode("utf-8", "ignore")
    if not text.strip().isalpha():
        return "digits and marks"
    return "word start" if text.startswith(" ") else "continuation"


def curve(given):
    lines = (Path(given.folders[0]) / "log.jsonl").read_text().splitlines()
    print("| step | tokens | bits/byte, validation | bits/byte, mean of the last 20 steps |\n|-|-|-|-|")
    tokens, recent = 0, []
    for row in map(json.loads, lines):
        tokens += row.get("tokens", 0)
        recent = [*recent, row["bits_per_byte"]][-20:] if "bits_per_byte" in row else recent
        if "validation" in row:
            print(
                f"| {row['step']} | {tokens} | {row['validation']:.4f} | {np.mean(recent or [np.nan]):.3f} |"
            )


def ship(given):
    from safetensors.torch import save_file

    from tokforge.transplant.hypernet.storage import LOG, RECORD, WEIGHTS, read_tensors

    source, target = map(Path, given.folders)
    target.mkdir(parents=True)
    halves = {name: one.half() for name, one in read_tensors(source / WEIGHTS).items()}
    save_file(halves, target / WEIGHTS)
    for name in (RECORD, LOG):
        shutil.copy(source / name, target / name)
    print(target, (target / WEIGHTS).stat().st_size)


if __name__ == "__main__":
    main()
