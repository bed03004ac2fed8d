"""No command writes over a file that it reads, whatever --force says, and none names one output twice."""

import shlex
from pathlib import Path

import numpy
import pytest
from cli_harness import Run
from command_tree import commands

from tokforge.errors import OutputError

pytest.importorskip("tokforge._core", reason="the engine is not built")

ADVISE = "advise-vocab text --parameters 1000000 --hidden-size 64 --largest 512"
CASES = (
    ("train-bpe text --vocab-size 260 -o", "text/a.txt"),
    ("train-bpe 'text/*.txt' --vocab-size 260 -o", "text/a.txt"),
    ("train-bpe other --extend folder --vocab-size 264 -o", "folder/tokenizer.json"),
    ("train-bpe other --extend t.json --vocab-size 264 -o new.json --map", "t.json"),
    ("train-bpe other --labels words.csv --vocab-size 264 -o", "words.csv"),
    ("train-bpe text --vocab-size 300 --supertokens superbpe -o", "text/a.txt"),
    ("train-bpe text --extend t.json --vocab-size 300 --supertokens superbpe -o", "t.json"),
    ("count text -o", "text/a.txt"),
    ("count text -o", "./text/../text/a.txt"),
    ("merge-counts text/a.txt -o", "text/a.txt"),
    ("encode t.json ids.npy -o", "ids.npy"),
    ("decode t.json ids.npy -o", "ids.npy"),
    ("decode folder ids.npy -o", "folder/tokenizer_config.json"),
    ("infer-mixture t.json --categories text --html", "text/a.txt"),
    ("infer-mixture t.json --categories text --plot", "text/c.svg"),
    ("infer-mixture t.json --categories text --export-mps", "t.json"),
    ("infer-mixture t.json --counts c.npz --save-counts", "c.npz"),
    ("lint t.json --sarif", "t.json"),
    ("lint folder --sarif", "folder/tokenizer_config.json"),
    ("lint t.json --fix -o", "t.json"),
    ("lint folder --fix -o", "folder"),
    ("convert t.json --to hf", "t.json"),
    ("convert t.json --to hf --probe text/a.txt", "text/a.txt"),
    ("convert t.json new.json --to hf --id-map", "t.json"),
    ("convert pair/vocab.json --to vocab-merges", "pair"),
    ("compare t.json --text text/a.txt --html", "text/a.txt"),
    ("compare t.json --text text --html", "text/a.txt"),
    ("compare t.json --text other --html", "t.json"),
    ("compare folder --text other --html", "folder/tokenizer.json"),
    ("compare t.json --text other --words words.csv --table", "words.csv"),
    ("compare t.json --text other --morphemes words.csv --table", "words.csv"),
    (f"{ADVISE} --plot", "text/c.svg"),
    (f"{ADVISE} --held-out other --plot", "other/c.svg"),
    ("edit pad t.json --multiple-of 64 -o", "t.json"),
    ("edit pad folder --multiple-of 64 -o new.json --map", "folder/tokenizer_config.json"),
    ("edit remove t.json --token-file words.csv -o", "words.csv"),
    ("edit add t.json --vocabulary-file words.csv -o", "words.csv"),
    ("edit rename t.json a=b -o", "t.json"),
    ("edit reorder t.json text --by use -o", "text/a.txt"),
    ("edit prune t.json text --vocab-size 257 -o", "text/a.txt"),
    ("transplant model folder --text text -o", "folder"),
    ("transplant model folder --text text/a.txt -o", "text"),
    ("transplant model folder -o", "model"),
    ("heal model --text text -o", "text"),
    ("heal model --text text -o new --log", "text/a.txt"),
    ("heal model --text text -o new --state", "text/a.txt"),
    ("heal model --text text -o new --log", "model/config.json"),
)
HARMLESS = {"demo", "corpora fetch", "import-gguf", "train-hypernet"}
"""Read packages alone, or write files of fixed names that are no GGUF; the last, slow to begin, is below."""


@pytest.fixture
def place(tmp_path: Path, run_real: Run) -> Path:
    """A folder with a file of every kind that a command reads."""
    for folder in ("text", "other", "folder", "model", "hyper", "pair"):
        (tmp_path / folder).mkdir()
        for name in ("a.txt", "c.svg"):
            (tmp_path / folder / name).write_text("the cat sat on the mat " * 40)
    assert run_real("train-bpe", "text", "-o", "t.json", "--vocab-size", "260", "--quiet").code == 0
    (tmp_path / "folder" / "tokenizer.json").write_bytes((tmp_path / "t.json").read_bytes())
    assert run_real("convert", "t.json", "pair", "--to", "vocab-merges", "--allow-lossy").code == 0
    for name in ("folder/tokenizer_config.json", "model/config.json", "hyper/log.jsonl", "words.csv"):
        (tmp_path / name).write_text("{}\n")
    numpy.save(tmp_path / "ids.npy", numpy.zeros(3, numpy.uint32))
    (tmp_path / "c.npz").write_bytes(b"counts")
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("line", "target"), CASES)
def test_no_output_replaces_an_input(line: str, target: str, place: Path, run_real: Run) -> None:
    if line.startswith(("transplant", "heal")):
        pytest.importorskip("torch", reason="the extra [transplant] is not installed")
    before = contents(place)
    ran = run_real(*shlex.split(line), target, "--force")
    assert (ran.code, ran.out) == (2, "")
    assert any(words in ran.err for words in ("is an input of this run", "would destroy", "the input, which"))
    assert contents(place) == before


def test_every_command_that_replaces_files_is_tried() -> None:
    replacing = {name for name, command in commands().items() if "--force" in _options(command)}
    tried = {name for name in replacing if any(line.startswith(f"{name} ") for line, _ in CASES)}
    assert replacing - tried == HARMLESS


def test_a_hypernetworks_log_does_not_replace_its_text(place: Path) -> None:
    pytest.importorskip("torch", reason="the extra [transplant] is not installed")
    from tokforge.transplant.hypernet import train_hypernet

    with pytest.raises(OutputError, match="is an input of this run"):
        train_hypernet("model", ["hyper/log.jsonl"], "hyper", force=True)
    assert (place / "hyper" / "log.jsonl").read_text() == "{}\n"


def _options(command: object) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "infer-mixture t.json --categories text --html x.svg --plot x.svg",
        "edit pad t.json --multiple-of 64 -o x.json --map x.json",
        "convert t.json x.json --to hf --id-map x.json",
    ],
)
def test_no_output_is_named_twice(line: str, place: Path, run_real: Run) -> None:
    ran = run_real(*line.split())
    assert (ran.code, "named for two outputs" in ran.err, (place / "x.json").exists()) == (2, True, False)


def test_what_stands_beside_an_input_may_be_replaced(place: Path, run_real: Run) -> None:
    (place / "folder" / "report.html").write_text("an old report")
    ran = run_real("compare", "folder", "--text", "other", "--html", "folder/report.html", "--force", "-q")
    assert (ran.code, "wrote folder/report.html" in ran.out) == (0, True)


def test_an_option_of_one_value_is_given_once(run_real: Run) -> None:
    for name, command in commands().items():
        for option in command.params:
            if option.param_type_name == "option" and not (option.multiple or option.is_flag):
                word = max(option.opts, key=len)
                if word not in ("--config", "--help"):
                    ran = run_real(*name.split(), word, "1", word, "2")
                    assert (ran.code, f"{word} is given twice" in ran.err) == (2, True), (name, word)
