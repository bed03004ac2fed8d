"""Real tokenizers inferred on one set of references, or on several in turn; resumable."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benches.mixture_accuracy import lines_of
from tokforge import Tokenizer
from tokforge.mixture import MixtureConfig, gather_references, infer
from tokforge.mixture.fit import has_ranges
from tokforge.mixture.known import prefix_hashes
from tokforge.mixture.merge_list import one_merge_a_token

KNOWN = Path(__file__).parents[1] / "tokforge" / "mixture" / "known.json"


def mixture_known(arguments: Sequence[str]) -> str:
    """Writes the table of prefixes; the first name of a prefix is its owner."""
    parser = argparse.ArgumentParser(
        prog="python -m benches mixture-known", description="Hashes of public merge lists' beginnings."
    )
    parser.add_argument("tokenizers", nargs="+", metavar="NAME=FILE", help="oldest first")
    table: dict[str, str] = {}
    for name, path in _named(parser.parse_args(arguments).tokenizers).items():
        tokenizer = Tokenizer.load(path)
        merges, _ = one_merge_a_token(tokenizer.merges, tokenizer.table.tokens)
        for length, value in prefix_hashes(merges, tokenizer.table.tokens).items():
            table.setdefault(f"{length}:{value}", name)
    KNOWN.write_text(json.dumps(dict(sorted(table.items())), indent=1) + "\n")
    return f"{len(table)} prefixes in {KNOWN}"


def mixture_audit(arguments: Sequence[str]) -> str:
    """Infers the shares of every tokenizer, and lays them out by groups of categories."""
    parser = argparse.ArgumentParser(prog="python -m benches mixture-audit", description=__doc__)
    parser.add_argument("categories", help="a folder with a folder for each category")
    parser.add_argument("record", type=Path, help="FILE.jsonl, to which lines are added")
    parser.add_argument("tokenizers", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--first", nargs="*", default=[], metavar="NAME=F", help="inherited merges")
    parser.add_argument(
        "--groups",
        nargs="*",
        default=[],
        metavar="GROUP=A,B",
        help="shown as one; bounds added up",
    )
    parser.add_argument("--merges", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=20)
    asked = parser.parse_args(arguments)
    names, first = _named(asked.tokenizers), _named(asked.first)
    known = {line["tokenizer"] for line in lines_of(asked.record)}
    for name in (name for name in names if name not in known):
        options = MixtureConfig(
            merges=asked.merges, resamples=asked.resamples, first=int(first.get(name, 0)), threads=1
        )
        line = _audited(names[name], asked.categories, options)
        with asked.record.open("a") as file:
            file.write(json.dumps({"tokenizer": name, **line}) + "\n")
    done = {line["tokenizer"]: line for line in lines_of(asked.record)}
    groups = {name: members.split(",") for name, members in _named(asked.groups).items()}
    return _table({name: done[name] for name in names}, groups)


def _named(pairs: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _audited(path: str, categories: str, options: MixtureConfig) -> dict[str, Any]:
    tokenizer = Tokenizer.load(path)
    references, seconds = gather_references(tokenizer, options, categories=categories)
    return infer(tokenizer, references, options, counted_seconds=seconds).as_dict()


def _table(lines: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> str:
    """Returns Markdown, a row for each tokenizer; bounds of a group are the sums of its categories'."""
    categories = list(next(iter(lines.values()))["proportions"])
    shown = groups or {name: [name] for name in categories}
    rows = [["tokenizer", *shown, "missing merges", "misfit", "shift", "withheld"]]
    rows.append(["---"] * len(rows[0]))
    for name, line in lines.items():
        fit = line["fit"]
        shift = "not calibrated" if fit["shift"] is None else f"{fit['shift']:.1f}"
        cells = [_cell(line, members) for members in shown.values()]
        withheld = "yes" if line["withheld"] else "no"
        rows.append([name, *cells, f"{fit['missing_merges']}", f"{fit['misfit']:.2f}", shift, withheld])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(line: Mapping[str, Any], members: Sequence[str]) -> str:
    share = sum(line["proportions"][name] for name in members)
    if not line["intervals"] or not has_ranges(line["fit"]):
        return f"{share:.0%}"
    low, high = (min(sum(line["intervals"][name][side] for name in members), 1.0) for side in (0, 1))
    return f"{share:.0%} ({low:.0%} to {high:.0%})"
