"""Tables of docs/mixture.md, one function each; see `python -m benches`."""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from tokforge import Tokenizer
from tokforge.mixture import MixtureConfig, gather_references, infer
from tokforge.mixture.known import prefix_hashes
from tokforge.mixture.merge_list import one_merge_a_token

KNOWN = Path(__file__).parents[1] / "tokforge" / "mixture" / "known.json"


def known(paths: dict[str, str]) -> None:
    """Writes the table of prefixes: name -> tokenizer.json; the first name of a prefix is its owner."""
    table: dict[str, list[str]] = {}
    for name, path in paths.items():
        tokenizer = Tokenizer.load(path)
        merges, _ = one_merge_a_token(tokenizer.merges, tokenizer.table.tokens)
        for length, value in prefix_hashes(merges, tokenizer.table.tokens).items():
            table.setdefault(f"{length}:{value}", []).append(name)
    KNOWN.write_text(json.dumps({key: names[0] for key, names in sorted(table.items())}, indent=1) + "\n")


def audit(
    paths: dict[str, str],
    categories: str,
    merges: int,
    first: dict[str, int] | None = None,
    resamples: int = 20,
) -> None:
    """Infers the shares of real tokenizers on one set of references; prints a JSON object a line."""
    for name, path in paths.items():
        tokenizer = Tokenizer.load(path)
        config = MixtureConfig(merges=merges, first=(first or {}).get(name, 0), resamples=resamples)
        references, seconds = gather_references(tokenizer, config, categories=categories)
        result = infer(tokenizer, references, config, counted_seconds=seconds).as_dict()
        print(json.dumps({"tokenizer": name, **result}), flush=True)


def reach(tokenizer: str, categories: str, merges: int, seconds: float) -> None:
    """Solves a long list against the clock; prints bounds, phases and memory."""
    config = MixtureConfig(
        merges=merges, resamples=0, calibrate=False, estimator="programme", seconds=seconds
    )
    model = Tokenizer.load(tokenizer)
    references, _ = gather_references(model, config, categories=categories)
    result = infer(model, references, config).as_dict()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**result["solution"], **result["seconds_by_phase"], "gigabytes": memory}))


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[2]).read_text())
    tables: dict[str, Callable[..., None]] = {"known": known, "audit": audit, "reach": reach}
    tables[sys.argv[1]](**settings)
