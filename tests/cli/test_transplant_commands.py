"""`transplant`, `evaluate` and `import-gguf` with the real library: what they print, write and refuse."""

import json
from pathlib import Path

import jsonschema
import pytest
from cli_harness import ROOT, Run

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [transplant] is not installed")


@pytest.fixture
def folder(tmp_path: Path, run_real: Run, capfd: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("the cat sat on the mat with the other cats " * 30)
    for name, size in (("old", 270), ("new", 280)):
        line = f"train-bpe text -o {name}.json --vocab-size {size} --pretokenizer gpt2 --special <s> --quiet"
        assert run_real(*line.split()).code == 0
    sizes = {"vocab_size": 270, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "bos_token_id": 0, "eos_token_id": 0}
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, **heads)).save_pretrained(
        tmp_path / "model"
    )
    (tmp_path / "model" / "tokenizer.json").write_bytes((tmp_path / "old.json").read_bytes())
    capfd.readouterr()
    return tmp_path


def validated(text: str, name: str) -> dict[str, object]:
    content = json.loads(text)
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(content)
    return content


def test_transplant_and_evaluate_fit_their_schemas(run_real: Run, folder: Path) -> None:
    planned = run_real(
        *["transplant", "model", "new.json", "--dry-run", "--text", "text", "--device", "cpu", "--json"]
    )
    assert planned.code == 0, planned.err
    assert validated(planned.out, "transplant")["verdict"] == "planned"
    line = "transplant model new.json -o out --method length-weighted --set scale=0.9 --device cpu --json"
    ran = run_real(*line.split())
    assert ran.code == 0, ran.err
    assert validated(ran.out, "transplant")["output"] == "out"
    line = "evaluate out --against model --text text --window 100 --windows 4 --device cpu"
    measured = validated(run_real(*line.split(), "--json").out, "evaluate")
    guessed = validated(run_real(*line.split(), "--guess", "--json").out, "evaluate")["guesses"]
    assert guessed["cloze"]["questions"] == 4 and guessed["choice"]["by_chance"] == 0.25
    assert measured["windows"] == 4 and "text" in measured["bits_per_byte"]
    assert "bits/byte" in run_real(*line.split()).out
    line = "heal out --text text -o healed --steps 2 --window 100 --validate-every 1 --device cpu"
    dry = validated(run_real(*line.split(), "--dry-run", "--json").out, "heal")
    assert dry["output"] is None and dry["estimate"]
    healed = validated(run_real(*line.split(), "--json").out, "heal")
    assert healed["output"] == "healed" and healed["after"] <= healed["before"]
    assert "held-out bits/byte" in run_real(*line.split(), "--force").out


def test_a_failed_check_ends_in_exit_code_1(
    run_real: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from tokforge.transplant.verify import Check

    run = sys.modules["tokforge.transplant.run"]
    monkeypatch.setattr(run, "verify_tensors", lambda *_: Check("other tensors", "fail", "one differs"))
    ran = run_real(
        *["transplant", "model", "new.json", "-o", "out", "--method", "fvt", "--device", "cpu", "--json"]
    )
    assert ran.code == 1
    assert validated(ran.out, "transplant")["verdict"] == "failed"
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("transplant nothing new.json -o out", "config.json"),
        ("transplant model new.json -o out --method magic", "use one of: composed"),
        ("transplant model new.json", "no output folder"),
        ("transplant model new.json -o out --set tau", "write it as A=B"),
        ("transplant model new.json -o model --force", "the model itself"),
        ("evaluate model --text nothing", "nothing"),
        ("evaluate model --text text --window 100 --questions nothing", "nothing"),
        ("heal model --text text", "no output folder"),
        ("heal model --text text -o out --loss hidden", "give --teacher"),
        ("heal model --text text -o out --steps 0", "use 1 or more"),
        ("import-gguf new.json -o out", "no GGUF file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(line: str, words: str, run_real: Run, folder: Path) -> None:
    ran = run_real(*line.split())
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err and ran.err.count("\n") == 1
    assert not (folder / "out").exists()
