"""`train-hypernet` with the real library: what it prints, writes and refuses, and what `transplant` makes of it."""

import json
from pathlib import Path

import jsonschema
import pytest
from cli_harness import ROOT, Run

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [transplant] is not installed")

SMALL = [
    *("layers=1", "width=8", "heads=1", "feedforward=8", "batch=2", "length=8", "negatives=4"),
    *("reconstruction_tokens=8", "smallest=300", "largest=320", "validation_sequences=2", "dtype=float32"),
]
SETTINGS = [word for one in SMALL for word in ("--set", one)]


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
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, **heads))
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_bytes((tmp_path / "old.json").read_bytes())
    capfd.readouterr()
    return tmp_path


def train(run_real: Run, *more: str, steps: str = "2") -> object:
    line = f"train-hypernet model --text text -o net --tokenizer new.json --device cpu --steps {steps}"
    return run_real(*line.split(), "--reconstruction-steps", "1", *SETTINGS, *more)


def checked(text: str) -> dict[str, dict[str, object]]:
    content = json.loads(text)
    path = ROOT / "docs" / "schemas" / "train-hypernet.schema.json"
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(content)
    return content


def test_it_plans_trains_resumes_and_transplants(run_real: Run, folder: Path) -> None:
    planned = train(run_real, "--dry-run", "--json")
    assert planned.code == 0, planned.err
    assert checked(planned.out)["trained"] is None and not (folder / "net").exists()
    piece = train(run_real, "--minutes", "0", "--json", "--quiet")
    assert piece.code == 0, piece.err
    assert checked(piece.out)["trained"]["stopped"] == "minutes"
    rest = train(run_real, "--resume", "--json", "--quiet")
    assert checked(rest.out)["trained"]["step"] == 3
    line = "transplant model new.json -o out --method hypernet --hypernet net --device cpu --quiet"
    made = run_real(*line.split())
    assert made.code == 0, made.err
    assert "hypernet" in made.out and (folder / "out" / "model.safetensors").is_file()


def test_what_it_refuses_is_said_in_one_line(run_real: Run, folder: Path) -> None:
    assert train(run_real, steps="1").code == 0
    again = train(run_real)
    assert (again.code, again.err.count("\n")) == (2, 1) and "already" in again.err
    assert train(run_real, "--force", steps="1").code == 0
    unknown = train(run_real, "--set", "stepz=3")
    assert unknown.code == 2 and "did you mean steps" in unknown.err
    assert "is no pair" in train(run_real, "--set", "width").err
    (folder / "model" / "config.json").write_text('{"architectures": ["Unheard"]}')
    refused = train(run_real, "--force")
    assert refused.code == 2 and "'Unheard'" in refused.err
