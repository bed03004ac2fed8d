"""What other libraries make of the malformed files of tests/unit/formats/hostile_files.py: a Markdown table.

``python -m benches.hostile``. Each library reads only the formats that are its own; each file is loaded,
and a text encoded, in a process of its own with 20 s and 4 GiB (benches/peers/load_hostile.py).
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "formats"))

READERS = {
    "hf": "tokenizers",
    "bbpe-latin1": "tokenizers",
    "vocab-merges": "tokenizers_pair",
    "wordpiece": "tokenizers_wordpiece",
    "tiktoken": "tiktoken",
    "tekken": "mistral_common",
    "sentencepiece": "sentencepiece",
    "unigram": "sentencepiece",
    "gguf": "gguf",
}
"""Kind of file -> the library that reads it natively."""

OUTCOMES = ("error", "error when used", "accepted", "panic", "crash", "hang")


def run(library, folder):
    """Returns case -> outcome for every case in ``folder``."""
    program = ROOT / "benches" / "peers" / "load_hostile.py"
    done = subprocess.run(
        [sys.executable, str(program), library, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def lay_out(files, folder):
    """Writes each case into a folder of its own; returns case folder -> the name of the case."""
    names = {}
    for number, (name, content) in enumerate(files.items()):
        case = folder / f"{number:03}"
        case.mkdir(parents=True)
        names[case.name] = name
        for file, data in content.items():
            (case / file).write_bytes(data)
        (case / "main.txt").write_text(next(iter(content)))
    return names


def measure():
    """Returns (kind, library) -> case -> outcome, for the native readers and for tokforge."""
    from hostile_files import hostile_files

    found = {}
    files = hostile_files()
    for kind, native in READERS.items():
        own = {name: content for name, content in files.items() if name.split(":")[0] == kind}
        with tempfile.TemporaryDirectory() as folder:
            names = lay_out(own, Path(folder))
            for library in (native, "tokforge"):
                outcomes = run(library, folder)
                found[kind, library] = {names[case]: outcome for case, outcome in outcomes.items()}
    return found


def distribution(library):
    return library.split("_pair")[0].split("_wordpiece")[0].replace("_", "-")


def table(found):
    """Returns the Markdown: a row for each kind of file and library, a column for each outcome."""
    lines = [f"| files | library | read | {' | '.join(OUTCOMES)} |", "|---|---|--:|" + "--:|" * len(OUTCOMES)]
    for (kind, library), outcomes in found.items():
        counts = Counter(outcome.split(" (")[0] for outcome in outcomes.values())
        name = f"{distribution(library)} {version(distribution(library))}"
        lines.append(
            f"| {kind} | {name} | {len(outcomes)} | {' | '.join(str(counts[one]) for one in OUTCOMES)} |"
        )
    return "\n".join(lines)


def worst(found):
    """Returns a list of the cases that ended in a panic, a crash or a hang."""
    return "\n".join(
        f"- {distribution(library)}, `{case}`: {outcome}"
        for (_, library), outcomes in found.items()
        for case, outcome in outcomes.items()
        if outcome.startswith(("panic", "crash", "hang", "exit"))
    )


def main():
    found = measure()
    print(table(found))
    print()
    print(worst(found))


if __name__ == "__main__":
    main()
