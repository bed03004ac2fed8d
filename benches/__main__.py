"""`python -m benches TABLE [OPTIONS]` measures one table; `TABLE --help` explains it.

`python -m benches all DATA` measures those that need nothing but the named corpora, which it exports to DATA.
"""

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

TABLES = {
    "audit": "benches.audit:under_trained_tokens",
    "bounded-memory": "benches.bounded:bounded_memory",
    "compare": "benches.compare:compare_at_scale",
    "distributed-positions": "benches.estimates:distributed_positions",
    "distributed-words": "benches.estimates:distributed_words",
    "doubling": "benches.doubling.table:doubling",
    "encode-binaries": "benches.encoding:encode_binaries",
    "encode-text": "benches.encoding:encode_text",
    "explore": "benches.exploring:explore_round_trip",
    "hostile": "benches.hostile:hostile",
    "load-tokenizers": "benches.loading:load_tokenizers",
    "lint-real": "benches.linting:lint_real",
    "merge-checkpoints": "benches.merging:merge_checkpoints",
    "merge-cost": "benches.merging:merge_cost",
    "merge-curve": "benches.merging_curve:merge_curve",
    "merge-length": "benches.merging:merge_length",
    "merge-translation": "benches.merging_translation:merge_translation",
    "masking-collate": "benches.masking.collating:collate",
    "masking-proof": "benches.masking.proof:prove",
    "masking-text": "benches.masking.prepare:prepare",
    "masking-vocabulary": "benches.masking.vocabulary:vocabulary",
    "mixture-accuracy": "benches.mixture_accuracy:mixture_accuracy",
    "mixture-audit": "benches.mixture_audit:mixture_audit",
    "mixture-known": "benches.mixture_audit:mixture_known",
    "mixture-reach": "benches.mixture_speed:mixture_reach",
    "mixture-references": "benches.mixture_references:mixture_references",
    "mixture-speed": "benches.mixture_speed:mixture_speed",
    "oracle-llama": "benches.llama:oracle_llama",
    "oracle-tokenizers": "benches.oracle:oracle_tokenizers",
    "round-trips": "benches.round_trips:round_trips",
    "supertokens": "benches.supertokens:supertokens",
    "supertokens-table": "benches.supertokens_table:supertokens_table",
    "binary-model": "benches.binary_model.proof:binary_model",
    "binary-alone": "benches.binary_pairs:binary_alone",
    "binary-bbpe": "benches.binary_pairs:binary_bbpe",
    "binary-packed": "benches.binary_packed:binary_packed",
    "binary-sections": "benches.binary_sections:binary_sections",
    "binary-platforms": "benches.binary:binary_platforms",
    "ray": "benches.ray_overhead:ray_overhead",
    "release-binary": "benches.release:release_binary",
    "train-binaries": "benches.training:train_binaries",
    "train-lines": "benches.training:train_lines",
    "train-one-line": "benches.training:train_one_line",
    "train-scale": "benches.scale:train_scale",
    "train-text": "benches.training:train_text",
}
"""Table -> module:function. The function takes the arguments behind the name and returns Markdown."""

CORPORA = ("binaries-small", "text-multilingual", "code-c")
STANDARD = (
    "train-binaries --corpus {data}/binaries-small",
    "train-binaries --corpus {data}/binaries-small --size 65536 --peer-size 4096",
    "train-text --corpus {data}/text-multilingual",
    "train-text --corpus {data}/code-c",
    "train-lines --corpus {data}/text-multilingual",
    "train-one-line dna",
    "train-one-line zeros --megabytes 100",
    "train-scale binaries --corpus {data}/binaries-small --megabytes 1 10 60",
    "train-scale text --corpus {data}/text-multilingual --megabytes 1 10 80",
)


def main(arguments: Sequence[str]) -> None:
    name, options = arguments[0] if arguments else "", arguments[1:]
    if name == "all" and len(options) == 1:
        _all(Path(options[0]))
    elif name in TABLES:
        print(_measure(name, options))
    else:
        raise SystemExit(f"usage: python -m benches TABLE [--help]; tables: {', '.join(sorted(TABLES))}, all")


def _measure(name: str, options: Sequence[str]) -> str:
    module, function = TABLES[name].split(":")
    table: str = getattr(import_module(module), function)(options)
    return table


def _all(data: Path) -> None:
    for corpus in CORPORA:
        if not (data / corpus).exists():
            fetch = [sys.executable, "-m", "tokforge_cli", "corpora", "fetch", corpus, "--export"]
            subprocess.run([*fetch, str(data / corpus)], check=True)
    for command in STANDARD:
        name, *options = command.format(data=data).split()
        print(f"{command}\n\n{_measure(name, options)}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
