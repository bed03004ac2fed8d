"""The commands with the real library: train, inspect, encode, decode, and what they write."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_harness import ROOT, Ran

from tokforge import Tokenizer

pytest.importorskip("tokforge._core", reason="the engine is not built")

Tokforge = Callable[..., Ran]
TEXT = b"the cat sat on the mat; the dog sat on the log. " * 200


@pytest.fixture
def tokforge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokforge:
    """Returns ``tokforge(line)``, which runs in ``tmp_path`` with nothing replaced."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 20)

    def run_line(line: str) -> Ran:
        from tokforge_cli.app import run

        code = run(line.split())
        return Ran(code, *capfd.readouterr())

    return run_line


def done(ran: Ran) -> dict[str, object]:
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def valid(ran: Ran, schema: str) -> dict[str, object]:
    import jsonschema

    content = done(ran)
    path = ROOT / "docs" / "schemas" / f"{schema}.schema.json"
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(content)
    return content


@pytest.mark.parametrize("preset", ["text", "code", "binary", "auto"])
def test_train_encode_decode_gives_the_bytes_back(preset: str, tokforge: Tokforge, tmp_path: Path) -> None:
    made = valid(
        tokforge(f"train-bpe a.txt -o t.json --vocab-size 270 --preset {preset} --json"), "train-bpe"
    )
    assert (made["vocab_size"], made["merges"], made["stopped"]) == (270, 14, "vocab_size")
    assert (made["corpus_bytes"], made["output"]) == (len(TEXT), "t.json")
    figures = valid(
        tokforge("encode t.json a.txt b.bin -o ids.npy --offsets --window 64 --stride 32 --json"), "encode"
    )
    assert figures["bytes"] == len(TEXT) + 256 * 20
    assert np.load("ids.npy").dtype == np.uint16
    assert (
        valid(tokforge("decode t.json ids.npy -o back.bin --json"), "decode")["tokens"] == figures["tokens"]
    )
    assert (tmp_path / "back.bin").read_bytes() == TEXT + bytes(range(256)) * 20


def test_demo_learns_from_this_machine(tokforge: Tokforge) -> None:
    shown = valid(tokforge("demo --limit 3MB -o demo.json --json"), "demo")
    rates = {int(size): rate for size, rate in shown["bytes_per_token"].items()}
    assert list(rates) == [512, 1024, 2048, 4096]
    assert 1 < rates[512]["trained"] < rates[4096]["trained"]
    assert rates[4096]["held_out"] > 1
    assert shown["trained_files"] > 0 < shown["held_out_files"]


def test_inspect_describes_what_was_trained(tokforge: Tokforge) -> None:
    pytest.importorskip("tokforge.metrics.inspect")
    done(tokforge("train-bpe a.txt -o t.json --vocab-size 270 --special <s> --preset text --json"))
    found = valid(tokforge("inspect t.json --json"), "inspect")
    assert (found["vocab_size"], found["merges"], found["kind"]) == (270, 13, "text")
    assert tokforge("inspect t.json").code == 0


def test_a_family_is_nested(tokforge: Tokforge) -> None:
    made = valid(
        tokforge("train-bpe a.txt -o t-{size}.json --family 260,265 --vocab-size 270 --json"), "train-bpe"
    )
    assert made["output"] == "t-270.json"
    assert made["family"] == {"260": "t-260.json", "265": "t-265.json"}
    vocabularies = [
        json.loads(Path(f"t-{size}.json").read_text())["model"]["vocab"] for size in (260, 265, 270)
    ]
    assert [len(vocabulary) for vocabulary in vocabularies] == [260, 265, 270]
    assert vocabularies[0].items() <= vocabularies[1].items() <= vocabularies[2].items()


def test_a_recipe_repeats_the_run_to_the_byte(tokforge: Tokforge, tmp_path: Path) -> None:
    done(
        tokforge(
            "train-bpe a.txt b.bin -o t.json --vocab-size 270 --sample 5kB --seed 3 --special <s> --json"
        )
    )
    first = {path.name: digest(path) for path in tmp_path.glob("t.*")}
    done(tokforge("train-bpe --config t.recipe.yaml --force --json"))
    assert {path.name: digest(path) for path in tmp_path.glob("t.*")} == first
    assert sorted(first) == ["t.json", "t.recipe.yaml", "t.tokforge.json"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_exhausted_corpus_says_how_many_merges_were_made(tokforge: Tokforge) -> None:
    ran = tokforge("train-bpe a.txt -o t.json --vocab-size 5000 --preset text")
    assert ran.code == 0
    assert "warning: corpus exhausted: " in ran.err
    assert " merges were made of 4,744 asked" in ran.err


def test_an_exact_size_makes_that_an_error(tokforge: Tokforge, tmp_path: Path) -> None:
    ran = tokforge("train-bpe a.txt -o t.json --vocab-size 5000 --preset text --exact-size --json")
    assert (ran.code, json.loads(ran.err)["error"]["code"]) == (2, "corpus_exhausted")
    assert not (tmp_path / "t.json").exists()


@pytest.mark.parametrize("special", ["none", "all"])
def test_text_that_spells_a_special_token_is_one_only_if_asked(special: str, tokforge: Tokforge) -> None:
    Path("s.txt").write_text("<s>")
    done(tokforge("train-bpe a.txt -o t.json --vocab-size 270 --special <s> --preset text --json"))
    figures = done(tokforge(f"encode t.json s.txt --special {special} --json"))
    assert figures["tokens"] == {"none": 3, "all": 1}[special]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("train-bpe empty.txt -o t.json", "input"),
        ("train-bpe nothing/ -o t.json", "input"),
        ("train-bpe a.txt -o t.json --vocab-size 100", "config"),
        ("train-bpe a.txt -o t.json --preset prose", "unknown_name"),
        ("train-bpe a.txt -o t.json --pretokenizer (", "pattern"),
        ("train-bpe a.txt -o t.json --weight b.txt=0.5", "unknown_name"),
        ("train-bpe a.txt -o t.json --weight a.txt=2", "config"),
        ("train-bpe a.txt -o t.json --field text", "config"),
        ("encode a.txt a.txt", "format"),
        ("encode missing.json a.txt", "input"),
    ],
)
def test_bad_input_is_one_typed_error_and_no_file(
    line: str, code: str, tokforge: Tokforge, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "nothing").mkdir()
    before = set(tmp_path.iterdir())
    ran = tokforge(f"{line} --json")
    assert (ran.code, ran.out, json.loads(ran.err)["error"]["code"]) == (2, "", code)
    assert set(tmp_path.iterdir()) == before


def test_inspect_binaries_fits_its_schema(tokforge: Tokforge, tmp_path: Path) -> None:
    crafted = pytest.importorskip("crafted_executables")
    pytest.importorskip("lief")
    (tmp_path / "a.so").write_bytes(crafted.elf())
    (tmp_path / "b.dll").write_bytes(crafted.pe())
    found = valid(tokforge("inspect-binaries binary-4k a.so b.dll a.txt --json"), "inspect-binaries")
    assert {row["platform"] for row in found["sections"]} == {"ELF X86_64", "PE AMD64", "unparsed"}
    assert [row["platform"] for row in found["boundaries"]] == ["ELF X86_64", "PE AMD64"]
    shown = tokforge("inspect-binaries binary-4k a.so a.txt --quiet")
    assert shown.code == 0
    assert all(part in shown.out for part in ("ELF X86_64", "zero padding", "instructions (at random)"))


def test_encode_reads_members_of_archives(tokforge: Tokforge, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "both.zip", "w") as made:
        made.write(tmp_path / "a.txt", "a.txt")
        made.write(tmp_path / "b.bin", "b.bin")
    packed = valid(tokforge("encode binary-4k both.zip -o packed.npy --archives --json"), "encode")
    valid(tokforge("encode binary-4k a.txt b.bin -o plain.npy --json"), "encode")
    assert [one["path"] for one in packed["files"]] == ["both.zip!a.txt", "both.zip!b.bin"]
    for name in ("{}.npy", "{}.boundaries.npy"):
        assert np.array_equal(np.load(name.format("packed")), np.load(name.format("plain")))
    one = valid(tokforge("encode binary-4k a.txt both.zip --archives --json"), "encode")
    assert one["bytes"] == len(TEXT) * 2 + 256 * 20


def test_count_merge_and_train_on_counts(tokforge: Tokforge, tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(TEXT[::-1])
    made = [
        valid(tokforge(f"count a.txt c.txt -o {part}.counts --preset text --shard {part}/2 --json"), "count")
        for part in (1, 2)
    ]
    merged = valid(tokforge("merge-counts 1.counts 2.counts -o all.counts --json"), "merge-counts")
    assert merged["bytes"] == sum(one["bytes"] for one in made) == 2 * len(TEXT)
    learned = []
    for line in ("--counts all.counts", "--counts 1.counts 2.counts", "a.txt c.txt --preset text"):
        valid(tokforge(f"train-bpe {line} -o t.json --vocab-size 300 --force --json"), "train-bpe")
        learned.append(list(Tokenizer.load("t.json").merges))
    assert learned[0] == learned[1] == learned[2]


@pytest.mark.parametrize(
    "line",
    [
        "count a.txt -o a.counts --shard 2",
        "train-bpe --counts a.txt -o t.json",
        "train-bpe a.txt -o t.json --checkpoint k --resume k",
        "train-bpe a.txt -o t.json --memory 1MB --preset text",
        "train-bpe a.txt -o t.json --counts --checkpoint k",
    ],
)
def test_what_scale_cannot_do_is_told_in_one_line(line: str, tokforge: Tokforge, tmp_path: Path) -> None:
    ran = tokforge(line)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert not (tmp_path / "t.json").exists()
