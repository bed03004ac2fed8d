"""Whole transplants of tiny models: what is copied, what is written, what is refused."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from safetensors.numpy import load_file

from tokforge.errors import ConfigError, FormatError, InputError, OutputError, UnknownNameError
from tokforge.transplant import METHODS, Checkpoint, Vocabulary, align, transplant

FREE = [name for name, method in METHODS.items() if not method.needs]
ROWS = "model.embed_tokens.weight"
CHECKS = {"checks": "full", "device": "cpu"}


def weights(folder):
    found = {}
    for path in folder.glob("*.safetensors"):
        found |= (
            {name: (path, value) for name, value in load_file(path).items()}
            if folder.name != "untied"
            else {}
        )
    return {name: value for name, (_, value) in found.items()}


@pytest.mark.parametrize("name", FREE)
def test_every_method_gives_a_model_that_passes_its_checks(name, llama, tokenizers_of, tmp_path):
    options = {"global": "0.3"} if name == "tokenadapt" else {}
    result = transplant(llama, tokenizers_of["new"], tmp_path / "out", method=name, options=options, **CHECKS)
    assert [check for check in result.checks if check.outcome == "fail" and "norms" not in check.name] == []
    assert result.plan.rows["composed"] > 20
    assert result.plan.rows["copied"] > 256


def test_the_same_tokenizer_changes_nothing(llama, tokenizers_of, tmp_path):
    transplant(llama, llama, tmp_path / "out", method="fvt", multiple_of=336, **CHECKS)
    before, after = weights(llama), weights(tmp_path / "out")
    used = len(Vocabulary.load(llama))
    for name, value in before.items():
        rows = used if name == "model.embed_tokens.weight" else len(value)
        assert np.array_equal(value[:rows], after[name][:rows]), name


def test_permuted_ids_permute_the_rows(llama, tokenizers_of, tmp_path):
    import tokforge
    from tokforge.tokenizer import edit

    old = tokforge.Tokenizer.load(tokenizers_of["old"])
    after, ids = edit.reorder(old, edit.ORDERS["tiktoken"](old), name="tiktoken")
    after.save(tmp_path / "permuted.json")
    transplant(llama, tmp_path / "permuted.json", tmp_path / "out", method="mean", **CHECKS)
    rows = weights(tmp_path / "out")["model.embed_tokens.weight"]
    assert np.array_equal(rows[ids.new_of_old], weights(llama)["model.embed_tokens.weight"][: old.vocab_size])


@pytest.mark.parametrize("kind", ["prune", "extend", "reorder"])
def test_an_id_map_moves_rows_bit_for_bit(kind, llama, tokenizers_of, tmp_path):
    import tokforge
    from tokforge.tokenizer import edit

    old = tokforge.Tokenizer.load(tokenizers_of["old"])
    if kind == "prune":
        after, ids = edit.remove(old, [old.vocab_size - 1, old.vocab_size - 3])
    elif kind == "extend":
        after, ids = edit.pad(old, old.vocab_size + 6)
    else:
        after, ids = edit.reorder(old, edit.ORDERS["tiktoken"](old), name="tiktoken")
    after.save(tmp_path / "after.json")
    ids.save(tmp_path / "ids.json")
    options = {"id_map": str(tmp_path / "ids.json"), "method": "mean", **CHECKS}
    assert not transplant(llama, tmp_path / "after.json", tmp_path / "out", **options).failed
    rows, before = weights(tmp_path / "out")[ROWS], weights(llama)[ROWS]
    kept = np.flatnonzero(ids.new_of_old >= 0)
    assert np.array_equal(rows[ids.new_of_old[kept]], before[kept])
    with pytest.raises(ConfigError, match="id map goes from"):
        transplant(llama, tokenizers_of["new"], tmp_path / "no", **options)


def test_a_fine_tune_takes_the_rows_of_its_bases_transplant(llama, tokenizers_of, tmp_path):
    import shutil

    from safetensors.numpy import save_file

    transplant(llama, tokenizers_of["new"], tmp_path / "base", method="length-weighted", **CHECKS)
    shutil.copytree(llama, tmp_path / "tuned")
    tensors = weights(llama)
    noise = np.random.default_rng(0).normal(0, 0.02, tensors[ROWS].shape).astype(np.float32)
    save_file(
        {**tensors, ROWS: tensors[ROWS] + noise}, tmp_path / "tuned" / "model.safetensors", {"format": "pt"}
    )
    options = {"donor": str(tmp_path / "base"), **CHECKS}
    transplant(tmp_path / "tuned", tokenizers_of["new"], tmp_path / "out", method="from-base", **options)
    transplant(tmp_path / "tuned", tokenizers_of["new"], tmp_path / "own", method="length-weighted", **CHECKS)
    rows, own = weights(tmp_path / "out")[ROWS], weights(tmp_path / "own")[ROWS]
    found = align(Vocabulary.load(llama), Vocabulary.load(tokenizers_of["new"]), len(tensors[ROWS]))
    known = set(found.shared[:, 1].tolist())
    whole = [i for i in found.composed.tolist() if found.pieces[i] and set(found.pieces[i]) <= known]
    assert whole and np.allclose(rows[whole], own[whole], atol=1e-5)
    assert np.array_equal(rows[found.copied], own[found.copied])
    with pytest.raises(ConfigError, match="is not the new one"):
        transplant(tmp_path / "tuned", llama, tmp_path / "no", method="from-base", **options)


def test_the_target_tokenizer_and_settings_are_written(llama, tokenizers_of, tmp_path):
    result = transplant(llama, tokenizers_of["new"], tmp_path / "out", method="fvt", multiple_of=64, **CHECKS)
    out = result.output
    assert (out / "tokenizer.json").read_bytes() == tokenizers_of["new"].read_bytes()
    config = json.loads((out / "config.json").read_text())
    new = Vocabulary.load(out)
    assert config["vocab_size"] == 320 >= len(new)
    assert config["bos_token_id"] == new.id_of_added["<|start|>"]
    assert config["eos_token_id"] == new.id_of_added["<|end|>"]
    assert "<|start|>" in (out / "chat_template.jinja").read_text()
    record = json.loads((out / "transplant.json").read_text())
    assert record["files"].keys() >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert len(record["rows_by_id"]["classes"]) == 320
    assert "Tokenizer transplant" in (out / "README.md").read_text()


def test_fvt_rows_are_the_means_of_their_pieces(llama, tokenizers_of, tmp_path):
    transplant(llama, tokenizers_of["new"], tmp_path / "out", method="fvt", **CHECKS)
    old, new = (
        weights(llama)["model.embed_tokens.weight"],
        weights(tmp_path / "out")["model.embed_tokens.weight"],
    )
    alignment = align(Vocabulary.load(llama), Vocabulary.load(tokenizers_of["new"]), len(old))
    for i in alignment.composed.tolist():
        assert np.allclose(new[i], old[list(alignment.pieces[i])].mean(0), atol=1e-6)
    for i in alignment.copied.tolist():
        assert np.array_equal(new[i], old[alignment.origins[i]])


def test_shards_without_rows_are_copied_and_the_head_has_its_own_rule(untied, tokenizers_of, tmp_path):
    result = transplant(untied, tokenizers_of["new"], tmp_path / "out", method="position-weighted", **CHECKS)
    assert not result.failed
    before, after = Checkpoint.open(untied), Checkpoint.open(tmp_path / "out")
    mine = {before.file_of(name).path.name for name in before.layout.names}
    assert 0 < len(mine) < len(before.files)
    for file in before.files:
        if file.path.name not in mine:
            assert file.path.read_bytes() == (tmp_path / "out" / file.path.name).read_bytes()
    sides = [np.array(after.array(name)) for name in (after.layout.input, after.layout.output)]
    composed = align(Vocabulary.load(untied), Vocabulary.load(tokenizers_of["new"]), before.rows).composed
    assert sides[0].dtype == np.uint16 and len(composed)


@pytest.mark.parametrize("name", ["biased", "bert"])
def test_biases_follow_the_head(name, request, tokenizers_of, tmp_path):
    folder = request.getfixturevalue(name)
    result = transplant(folder, tokenizers_of["new"], tmp_path / "out", method="length-weighted", **CHECKS)
    assert not result.failed, result.checks
    written, rows = Checkpoint.open(tmp_path / "out"), len(Vocabulary.load(tokenizers_of["new"]))
    assert written.layout.biases
    assert all(written.array(bias).shape == (rows,) for bias in written.layout.biases)


def test_a_dry_run_writes_nothing(llama, tokenizers_of, tmp_path, texts):
    before = sorted(tmp_path.rglob("*"))
    result = transplant(
        llama, tokenizers_of["new"], dry_run=True, text=(str(texts / "new.txt"),), device="cpu"
    )
    assert sorted(tmp_path.rglob("*")) == before
    assert result.verdict == "planned" and result.plan.sample.new_occurrences > 0.1


def test_a_mapping_takes_the_named_row(llama, tokenizers_of, tmp_path):
    mapping = {"<|end|>": "<|start|>"}
    transplant(llama, tokenizers_of["new"], tmp_path / "out", method="fvt", mapping=mapping, device="cpu")
    rows, old = (
        weights(tmp_path / "out")["model.embed_tokens.weight"],
        weights(llama)["model.embed_tokens.weight"],
    )
    at = Vocabulary.load(tokenizers_of["new"]).id_of_added["<|end|>"]
    assert np.array_equal(rows[at], old[Vocabulary.load(llama).id_of_added["<|start|>"]])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"method": "magic"}, UnknownNameError, "fvt"),
        ({"method": "omp"}, ConfigError, "needs donor"),
        ({"options": {"taau": "1"}}, UnknownNameError, "tau"),
        ({"options": {"tau": "nan"}}, ConfigError, "finite"),
        ({"mapping": {"<|no|>": "<|start|>"}}, ConfigError, "--map"),
        ({"chat_template": "new"}, ConfigError, "no chat template"),
        ({"multiple_of": 0}, ConfigError, "65536"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(
    options, error, words, llama, tokenizers_of, tmp_path
):
    with pytest.raises(error, match=words):
        transplant(llama, tokenizers_of["new"], tmp_path / "out", device="cpu", **options)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".tokforge*"))


def test_a_tokenizer_with_more_ids_than_rows_is_refused(llama, tokenizers_of, tmp_path):
    import tokforge

    larger = tokforge.Tokenizer.load(tokenizers_of["old"])
    from tokforge.tokenizer import edit

    edit.pad(larger, 400)[0].save(llama / "tokenizer.json", force=True)
    with pytest.raises(FormatError, match="have none"):
        transplant(llama, tokenizers_of["new"], tmp_path / "out", device="cpu")


def test_cut_and_missing_shards_and_pickles_are_refused(untied, llama, tokenizers_of, tmp_path):
    shard = sorted(untied.glob("*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:-4])
    with pytest.raises(FormatError, match=shard.name):
        Checkpoint.open(untied)
    shard.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        Checkpoint.open(untied)
    (llama / "model.safetensors").rename(llama / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickle"):
        Checkpoint.open(llama)


def test_an_existing_folder_is_kept(llama, tokenizers_of, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()
    with pytest.raises(OutputError, match="exists already"):
        transplant(llama, tokenizers_of["new"], tmp_path / "out", device="cpu")
    with pytest.raises(OutputError, match="the model itself"):
        transplant(llama, tokenizers_of["new"], llama, device="cpu", force=True)


def test_a_failed_check_puts_nothing_in_place(llama, tokenizers_of, tmp_path, monkeypatch):
    from tokforge.transplant import run
    from tokforge.transplant.verify import Check

    monkeypatch.setattr(run, "verify_tensors", lambda *_: Check("other tensors", "fail", "one differs"))
    result = transplant(
        llama, tokenizers_of["new"], tmp_path / "out", method="fvt", checks="tensors", device="cpu"
    )
    assert result.failed and result.output is None and result.verdict == "failed"
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".tokforge*"))


def test_a_model_of_the_hub_is_fetched_where_the_user_names_one(llama, tokenizers_of, tmp_path, monkeypatch):
    asked = []
    hub = ModuleType("huggingface_hub")

    def snapshot_download(repository, *, revision, allow_patterns):
        asked.append((repository, revision, set(allow_patterns)))
        return str(llama)

    hub.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    result = transplant("hf:owner/name@v1", tokenizers_of["new"], tmp_path / "out", method="mean")
    assert not result.failed
    assert {"config.json", "*.safetensors"} <= asked[0][2]
    assert not any(pattern.endswith((".bin", ".pt", ".py")) for pattern in asked[0][2])
    assert {one[:2] for one in asked} == {("owner/name", "v1")}
