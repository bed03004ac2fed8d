"""The artefact on disk: it reads back equal, appears whole or not at all, and its sidecar belongs to it."""

import errno
import json
import os
from pathlib import Path

import pytest

from tokforge import AddedToken, Tokenizer, errors
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer._engine import stage_specs
from tokforge.tokenizer.formats.hf_json import write_definition
from tokforge.tokenizer.pretokenizers import PATTERNS

TEMPLATE = '{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": []}'


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "stages", [(name,) for name in PATTERNS] + [(), (r"regex:\p{N}", "gpt2"), (r"regex:é+|\n",)]
)
def test_load_of_save_is_equal(make, tmp_path, stages):
    ours = make(pipeline=Pipeline("text", stages), provenance={"order": "hf", "options": {"a": 1.5}})
    assert ours.save(tmp_path) == tmp_path / "tokenizer.json"
    assert names(tmp_path) == ["tokenizer.json", "tokenizer.tokforge.json"]
    for path in (tmp_path, tmp_path / "tokenizer.json", str(tmp_path)):
        assert Tokenizer.load(path) == ours


def test_load_of_save_keeps_everything_else(make, tmp_path):
    base = make()
    more = [
        AddedToken(base.vocab_size, "<tool>", special=False, normalized=True),
        AddedToken(base.vocab_size + 1, "<mask>", ("mask",), lstrip=True),
    ]
    preserved = (("post_processor", TEMPLATE.replace('"pair": []', '"pair": [], "special_tokens": {}')),)
    ours = Tokenizer.from_parts(
        [*base.table.ordinary(), None, None],
        base.merges,
        pipeline=Pipeline("text", ("qwen2",), ("NFC",), preserved),
        added_tokens=[*base.added_tokens, *more],
        ignore_merges=True,
    )
    ours.save(tmp_path / "named.json")
    assert names(tmp_path) == ["named.json", "named.tokforge.json"]
    assert Tokenizer.load(tmp_path / "named.json") == ours


def test_binary_round_trip(binary, tmp_path):
    binary.save(tmp_path)
    assert Tokenizer.load(tmp_path) == binary
    assert json.loads((tmp_path / "tokenizer.json").read_text())["pre_tokenizer"] is None


def test_loads_without_the_sidecar(text, tmp_path):
    text.save(tmp_path)
    (tmp_path / "tokenizer.tokforge.json").unlink()
    bare = Tokenizer.load(tmp_path)
    assert bare.fingerprint == text.fingerprint
    assert bare.provenance == {}
    assert bare.role("pad") is None


def test_roles_come_from_tokenizer_config_without_a_sidecar(text, tmp_path):
    path = text.save_pretrained(tmp_path / "new")
    assert names(tmp_path / "new") == ["tokenizer.json", "tokenizer.tokforge.json", "tokenizer_config.json"]
    config = json.loads((tmp_path / "new" / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert config["pad_token"] == "<|pad|>"
    assert "model_max_length" not in config
    path.with_name("tokenizer.tokforge.json").unlink()
    assert Tokenizer.load(path.parent).added_tokens == text.added_tokens
    config |= {
        "pad_token": {"content": "<|pad|>", "lstrip": False},
        "unk_token": "<unheard>",
        "sep_token": None,
    }
    path.with_name("tokenizer_config.json").write_text(json.dumps(config))
    assert Tokenizer.load(path.parent).added_tokens == text.added_tokens


def test_bytes_depend_on_the_model_part_alone(make):
    one, other = make(provenance={"order": "hf"}), make(roles=())
    assert write_definition(one.definition) == write_definition(other.definition)


def test_hugging_face_may_save_the_file_again(text, tmp_path):
    from tokenizers import Tokenizer as HfTokenizer

    path = text.save(tmp_path)
    HfTokenizer.from_file(str(path)).save(str(path))
    assert Tokenizer.load(tmp_path) == text


# -- refusals of save ------------------------------------------------------------------------------------


def test_existing_files_need_force(text, make, tmp_path):
    text.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    other = make(merged=(b"ab",))
    with pytest.raises(errors.OutputError, match="exists already; add --force"):
        other.save(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(errors.OutputError, match=r"tokenizer\.tokforge\.json: exists"):
        other.save(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(before[tmp_path / "tokenizer.json"])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    other.save(tmp_path, force=True)
    assert Tokenizer.load(tmp_path) == other


def test_missing_folder(text, tmp_path):
    with pytest.raises(errors.OutputError, match="its folder does not exist; create it first"):
        text.save(tmp_path / "no" / "tokenizer.json")
    with pytest.raises(errors.OutputError, match="no such file or directory; create the folder above"):
        text.save_pretrained(tmp_path / "no" / "deeper")
    assert names(tmp_path) == []


def test_a_file_in_the_folders_place(text, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.OutputError, match="not a directory"):
        text.save(tmp_path / "file" / "tokenizer.json")
    with pytest.raises(errors.OutputError, match="file exists"):
        text.save_pretrained(tmp_path / "file")


def test_the_sidecars_name_is_refused(text, tmp_path):
    with pytest.raises(errors.OutputError, match="sidecar"):
        text.save(tmp_path / "tokenizer.tokforge.json")
    text.save(tmp_path)
    with pytest.raises(errors.FormatError, match="sidecar"):
        Tokenizer.load(tmp_path / "tokenizer.tokforge.json")


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no space left"), (errno.EROFS, "read-only"), (errno.EACCES, "permission denied"),
     (errno.EIO, "cannot be written")],
)  # fmt: skip
def test_failing_disk_leaves_nothing(text, tmp_path, monkeypatch, number, message):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(errors.OutputError, match=message):
        text.save(tmp_path)
    assert names(tmp_path) == []


def test_failing_rename_is_typed(text, tmp_path, monkeypatch):
    def fail(self, target):
        raise OSError(errno.EACCES, "denied")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(errors.OutputError, match="permission denied"):
        text.save(tmp_path)
    assert names(tmp_path) == []


def test_interrupted_save_leaves_nothing(text, tmp_path, monkeypatch):
    def interrupt(tokenizer, path):
        raise KeyboardInterrupt

    monkeypatch.setattr("tokforge.tokenizer.files.prove_export", interrupt)
    with pytest.raises(KeyboardInterrupt):
        text.save(tmp_path)
    assert names(tmp_path) == []


def test_export_is_refused_where_hugging_face_differs(text, make, tmp_path):
    other = make(merged=(b"ab",))
    other.__dict__["_encoder"] = text._encoder  # an engine with other merges than the file
    with pytest.raises(errors.ExportError, match=r"reads .* as .*e\|l\|l.*, tokforge as .*, from token \d"):
        other.save(tmp_path)
    assert names(tmp_path) == []


def test_export_is_refused_where_hugging_face_cuts_differently(make, tmp_path, monkeypatch):
    gpt2 = stage_specs(("gpt2",))
    monkeypatch.setattr("tokforge.tokenizer.formats.proof.stage_specs", lambda stages: gpt2)
    with pytest.raises(errors.ExportError, match=r"Hugging Face cuts .* into .*\|.*, tokforge "):
        make(pipeline=Pipeline("text", ("llama3",))).save(tmp_path)
    assert names(tmp_path) == []


def test_export_is_refused_where_ids_would_move(make, tmp_path, monkeypatch):
    monkeypatch.setattr("tokforge.tokenizer.formats.proof.spelled_vocabulary", lambda definition: {"h": 99})
    with pytest.raises(errors.ExportError, match=r"Hugging Face gives token .* the id .*, tokforge"):
        make().save(tmp_path)


def test_export_is_refused_where_one_entry_would_be_two(make):
    clash = make(merged=(b"he",), specials=("Ġx", "he"), roles=())
    with pytest.raises(errors.ExportError, match="'he' is spelled like another token"):
        clash.fingerprint  # noqa: B018


def test_broken_post_processor_cannot_be_exported(make, tmp_path):
    pipeline = Pipeline("text", ("gpt2",), (), (("post_processor", '{"type": "Nonsense"}'),))
    with pytest.raises(errors.ExportError, match="cannot load the export"):
        make(pipeline=pipeline).save(tmp_path)
    assert names(tmp_path) == []


# -- refusals of load ------------------------------------------------------------------------------------


def test_what_is_no_file(tmp_path):
    with pytest.raises(errors.InputError, match="there is no such file"):
        Tokenizer.load(tmp_path / "none.json")
    with pytest.raises(errors.InputError, match="the folder holds no tokenizer"):
        Tokenizer.load(tmp_path)
    with pytest.raises(errors.InputError, match="no ordinary file"):
        Tokenizer.load("/dev/null")
    with pytest.raises(errors.InputError, match="cannot be read"):
        Tokenizer.load(tmp_path / ("x" * 5000))


def test_a_symlink_loop(tmp_path):
    (tmp_path / "tokenizer.json").symlink_to(tmp_path / "tokenizer.json")
    with pytest.raises(errors.InputError, match="cannot be read"):
        Tokenizer.load(tmp_path)


def test_an_absurdly_large_file_is_not_read(tmp_path):
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate(2**30 + 1)  # sparse: takes no space
    with pytest.raises(errors.FormatError, match="too many"):
        Tokenizer.load(tmp_path)


def change(**fields):
    return lambda sidecar: sidecar | fields


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change(version=2), "version 2 is unknown; this tokforge knows version 1"),
        (change(version="1"), "version '1' is unknown"),
        (change(version=True), "version True is unknown"),
        (change(format="other"), "'other' is no sidecar"),
        (change(rolls={}), "the key 'rolls' is unknown; did you mean 'roles'?"),
        (change(extra=1), "known keys: format"),
        (change(tokenizer_sha256="0" * 64), "belongs to another tokenizer.json; restore the pair"),
        (change(tokenizer_sha256=None), "expected a string"),
        (change(roles=[]), "roles: expected an object"),
        (change(roles={"pad": 3}), "roles.pad: expected a string"),
        (change(roles={"pat": "<|pad|>"}), "there is no role 'pat'"),
        (change(roles={"pad": "<|pat|>"}), "which is no added token"),
        (change(provenance=3), "provenance: expected an object"),
        (change(provenance={"oder": "hf"}), "did you mean 'order'"),
        (change(provenance={"source_shares": {"a": -1}}), "source_shares"),
        (lambda sidecar: [], "expected an object"),
        (
            lambda sidecar: {key: value for key, value in sidecar.items() if key != "roles"},
            "'roles' is missing",
        ),
    ],
)
def test_malformed_sidecar(text, tmp_path, edit, message):
    text.save(tmp_path)
    sidecar = tmp_path / "tokenizer.tokforge.json"
    sidecar.write_text(json.dumps(edit(json.loads(sidecar.read_text()))))
    with pytest.raises(errors.FormatError, match=message) as caught:
        Tokenizer.load(tmp_path)
    assert str(sidecar) in str(caught.value)


def test_malformed_tokenizer_config(text, tmp_path):
    text.save(tmp_path)
    (tmp_path / "tokenizer.tokforge.json").unlink()
    (tmp_path / "tokenizer_config.json").write_text('{"pad_token": 3}')
    with pytest.raises(
        errors.FormatError, match=r"tokenizer_config\.json: pad_token: expected a string, found 3"
    ):
        Tokenizer.load(tmp_path)
