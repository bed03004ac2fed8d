"""The real commands on what goes wrong: each ends in one typed error, and leaves every file as it was.

Where a machine lets these tests, a folder is made read-only, a disk is filled and a file made unreadable for
good: by a mount of its own, and by giving up root's right to pass over modes.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_harness import Ran, environment

pytest.importorskip("tokforge._core", reason="the engine is not built")

Tokforge = Callable[..., Ran]
TEXT = b"the cat sat on the mat; the dog sat on the log. " * 200
DROP_ROOT = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture
def tokforge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokforge:
    """Returns ``tokforge(*argv)``, which runs in ``tmp_path`` with nothing replaced."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_bytes(TEXT)

    def run_line(*argv: str) -> Ran:
        from tokforge_cli.app import run

        capfd.readouterr()
        code = run(argv)
        return Ran(code, *capfd.readouterr())

    return run_line


@pytest.fixture
def trained(tokforge: Tokforge) -> Tokforge:
    """The same, with a tokenizer in ``t.json``."""
    options = "--vocab-size 270 --preset text --special <s> --json"
    assert tokforge("train-bpe", "a.txt", "-o", "t.json", *options.split()).code == 0
    return tokforge


def contents(folder: Path) -> dict[str, str]:
    """What is where: a digest of every file, the target of every link, the kind of everything else."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = f"link to {path.readlink()}"
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[str(path)] = "other"
    return found


def failure(ran: Ran) -> dict[str, Any]:
    """Returns the one error object of a command that failed by its user's doing."""
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    error = json.loads(ran.err)["error"]
    assert error["message"] and error["hint"]
    return error


def refused(tokforge: Tokforge, *argv: str) -> dict[str, Any]:
    """Runs a line that must fail, and returns its error once no file has changed."""
    before = contents(Path())
    error = failure(tokforge(*argv, "--json"))
    assert contents(Path()) == before
    return error


def plant(folder: Path) -> None:
    """Makes the inputs that the lines below name."""
    (folder / "empty").touch()
    (folder / "hollow" / "deeper").mkdir(parents=True)
    (folder / "nothing").mkdir()
    (folder / "nothing" / "empty").touch()
    (folder / "self").symlink_to("self")
    (folder / "round").mkdir()
    (folder / "round" / "back").symlink_to("..")
    (folder / "round" / "up").symlink_to(".")
    os.mkfifo(folder / "fifo")
    np.save(folder / "ids.npy", np.array([1, 2, 270]))
    np.save(folder / "negative.npy", np.array([5, -1]))
    np.save(folder / "huge.npy", np.array([2**63], np.uint64))
    np.save(folder / "real.npy", np.array([1.0]))


TRAINING = [
    ("empty", "input", "is empty"),
    ("missing", "input", "no such file"),
    ("hollow", "input", "holds no bytes"),
    ("nothing", "input", "1 is empty"),
    ("self", "input", "symbolic links"),
    ("fifo", "input", "named pipe"),
    ("/dev/zero", "input", "device"),
    ("a.txt empty", "input", "is empty"),
    ("a.txt --vocab-size 255", "config", "below the 256 bytes"),
    ("a.txt --vocab-size 257 --special <a> --special <b>", "config", "256 bytes and 2 special"),
    ("a.txt --vocab-size 99999999999", "config", "vocab_size is 99999999999"),
    ("a.txt --vocab-size 300 --family 400", "config", "above vocab_size 300"),
    ("a.txt --family 100", "config", "family is 100"),
    ("a.txt --special <a> --special <a>", "config", "given twice"),
    ("a.txt --special a", "config", "spells byte 0x61"),
    ("a.txt --special \u0120", "config", "spells byte 0x20"),
    ("a.txt --special \udcff\udcfe", "config", "lone surrogate"),
    ("a.txt --weight b.txt=0.5", "unknown_name", "no source 'b.txt'"),
    ("a.txt --weight a.txt", "config", "weight is 'a.txt'"),
    ("a.txt --weight a.txt=nan", "config", "nan"),
    ("a.txt --sample 1GB", "config", "which holds 9600"),
    ("a.txt --pretokenizer (", "pattern", "no usable regex"),
    ("a.txt --pretokenizer [z-a]", "pattern", "no usable regex"),
    (r"a.txt --pretokenizer \p{Nope}", "pattern", "no usable regex"),
    (r"a.txt --pretokenizer \w+", "pattern", "Hugging Face"),
    ("a.txt --pretokenizer (?P<n>a)", "pattern", "Hugging Face"),
    ("a.txt --pretokenizer \udcff+", "pattern", "lone surrogate"),
    ("a.txt --pretokenizer gtp2", "unknown_name", "no pre-tokenizer"),
    ("a.txt --min-frequency 99999999999999999999999", "config", "min_frequency"),
    ("a.txt --min-frequency -1", "config", "min_frequency"),
    ("a.txt --max-token-bytes 99999999999999999999", "config", "max_token_bytes"),
    ("a.txt --max-token-bytes 1", "config", "max_token_bytes"),
    ("a.txt --multiple-of 99999999999", "config", "multiple_of"),
    ("a.txt --threads 100000", "config", "threads is 100000"),
]


@pytest.mark.parametrize(("line", "code", "words"), TRAINING, ids=[ascii(line) for line, *_ in TRAINING])
def test_training_is_refused(line: str, code: str, words: str, tokforge: Tokforge, tmp_path: Path) -> None:
    plant(tmp_path)
    error = refused(tokforge, "train-bpe", *line.split(), "-o", "o.json")
    assert error["code"] == code
    assert words in error["message"]
    if code == "input":
        assert error["where"] == line.split()[-1]


CODING = [
    ("encode missing.json a.txt", "input", "missing.json"),
    ("encode fifo a.txt", "input", "fifo"),
    ("encode hollow a.txt", "input", "hollow"),
    ("encode empty a.txt", "format", "empty"),
    ("encode self a.txt", "input", "self"),
    ("encode t.json a.txt missing", "input", "missing"),
    ("encode t.json a.txt hollow", "input", "hollow"),
    ("encode t.json fifo", "input", "fifo"),
    ("encode t.json self", "input", "self"),
    ("encode t.json a.txt --threads 100000", "config", None),
    ("decode t.json missing.npy -o back", "input", "missing.npy"),
    ("decode t.json hollow -o back", "input", "hollow"),
    ("decode t.json fifo -o back", "input", "fifo"),
    ("decode t.json empty -o back", "input", "empty"),
    ("decode t.json a.txt -o back", "input", "a.txt"),
    ("decode t.json real.npy -o back", "input", "real.npy"),
    ("decode t.json ids.npy -o back", "token_id", "ids.npy"),
    ("decode t.json negative.npy -o back", "token_id", "negative.npy"),
    ("decode t.json huge.npy -o back", "token_id", "huge.npy"),
    ("inspect fifo", "input", "fifo"),
    ("inspect a.txt", "format", "a.txt"),
]


@pytest.mark.parametrize(("line", "code", "where"), CODING, ids=[line for line, *_ in CODING])
def test_coding_is_refused(line: str, code: str, where: str, trained: Tokforge, tmp_path: Path) -> None:
    plant(tmp_path)
    output = ["-o", "o.npy"] if line.startswith("encode") else []
    error = refused(trained, *line.split(), *output)
    assert (error["code"], error["where"]) == (code, where)


def test_an_id_out_of_range_is_named_with_its_place(trained: Tokforge, tmp_path: Path) -> None:
    plant(tmp_path)
    message = refused(trained, "decode", "t.json", "ids.npy", "-o", "back")["message"]
    assert message == "id 270 at position 2 is not below 270"


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    parts = json.loads(Path("t.json").read_text())
    change(parts)
    return json.dumps(parts)


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "truncated": (lambda: Path("t.json").read_text()[:3000], ""),
    "binary": (lambda: "\x7fELF\x02\x01\x01", ""),
    "deep": (lambda: '{"a":' * 100_000, ""),
    "no model": (lambda: edited(lambda parts: parts.pop("model")), ""),
    "an id beyond memory": (
        lambda: edited(lambda parts: parts["model"]["vocab"].update(x=4_000_000_000)),
        "model.vocab.x",
    ),
    "an added id beyond memory": (
        lambda: edited(lambda parts: parts["added_tokens"][0].update(id=4_000_000_000, content="<new>")),
        "added_tokens",
    ),
    "a merge of one": (
        lambda: edited(lambda parts: parts["model"]["merges"].__setitem__(3, ["a"])),
        "model.merges[3]",
    ),
    "a merge of nothing known": (
        lambda: edited(lambda parts: parts["model"]["merges"].__setitem__(0, ["a", "zzz"])),
        "model.merges[0]",
    ),
    "an id that is text": (
        lambda: edited(lambda parts: parts["model"]["vocab"].update(the="7")),
        "model.vocab.the",
    ),
    "a regex that is none": (
        lambda: edited(
            lambda parts: parts["pre_tokenizer"]["pretokenizers"][0].update(pattern={"Regex": r"\w"})
        ),
        "pre_tokenizer",
    ),
}


@pytest.mark.parametrize("command", ["encode", "decode", "inspect"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tokenizer_is_refused_with_path_and_field(
    name: str, command: str, trained: Tokforge, tmp_path: Path
) -> None:
    np.save("ids.npy", np.array([1]))
    make, field = HOSTILE[name]
    Path("h.json").write_text(make())
    more = {"encode": ["a.txt", "-o", "o.npy"], "decode": ["ids.npy", "-o", "back"], "inspect": []}
    error = refused(trained, command, "h.json", *more[command])
    assert error["code"] == "format"
    assert error["where"].startswith(f"h.json: {field}" if field else "h.json")


def test_a_folder_with_a_loop_is_read_without_it_and_the_loop_reported(
    tokforge: Tokforge, tmp_path: Path
) -> None:
    plant(tmp_path)
    (tmp_path / "round" / "a.txt").write_bytes(TEXT)
    ran = tokforge(*["train-bpe", "round", "-o", "o.json", "--vocab-size", "270", "--json"])
    figures = json.loads(ran.out)
    assert (ran.code, figures["corpus_bytes"]) == (0, len(TEXT))
    loops = {one["path"]: one["reason"].split(":")[0] for one in figures["skipped"]}
    assert loops == {"round/back": "is a symlink loop", "round/up": "is a symlink loop"}


def test_reserved_names_step_aside_for_tokens_of_that_name(tokforge: Tokforge) -> None:
    rows = [{"text": "<|reserved_1|>"}, {"text": "zebra"}] * 40
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = "train-bpe rows.jsonl --field text --pretokenizer none --max-token-bytes 0 --vocab-size 320"
    ran = tokforge(
        *line.split(), *["--multiple-of", "64", "--special", "<|reserved_0|>", "-o", "o.json", "--json"]
    )
    assert (ran.code, json.loads(ran.out)["vocab_size"]) == (0, 320)
    parts = json.loads(Path("o.json").read_text())
    assert "<|reserved_1|>" in parts["model"]["vocab"]
    added = [token["content"] for token in parts["added_tokens"]]
    assert added[:2] == ["<|reserved_0|>", "<|reserved_2|>"]
    assert len(set(added)) == len(added)


ODD: dict[str, bytes] = {
    "one byte": b"x",
    "one odd byte": b"\xff",
    "newlines": b"\n" * 5000,
    "crlf": b"one two\r\nthree\r\n\r\n" * 300,
    "nul": bytes(5000),
    "nul in text": b"a\0b c\0\0d " * 300,
    "replacement characters": "\ufffd \ufffdx".encode() * 300,
    "invalid UTF-8": b"caf\xe9 na\xefve \xff\xfe ok \xf0\x9f\x98 \xed\xa0\x80 \xc0\xaf" * 100,
    "byte order mark": "\ufeffone two\n".encode() * 300,
}


@pytest.mark.parametrize("pretokenizer", ["none", "gpt2", "cl100k", "o200k", "qwen2", "deepseek-v3"])
@pytest.mark.parametrize("name", ODD)
def test_odd_corpora_train_and_come_back_to_the_byte(
    name: str, pretokenizer: str, tokforge: Tokforge, tmp_path: Path
) -> None:
    Path("odd").write_bytes(ODD[name])
    Path("empty").touch()
    line = f"train-bpe odd -o o.json --vocab-size 300 --pretokenizer {pretokenizer} --json"
    ran = tokforge(*line.split())
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["corpus_bytes"] == len(ODD[name])
    for part in ("odd", "empty", "a.txt"):
        assert tokforge("encode", "o.json", part, "-o", "ids.npy", "--force").code == 0
        assert tokforge("decode", "o.json", "ids.npy", "-o", "back", "--force").code == 0
        assert Path("back").read_bytes() == Path(part).read_bytes()


def test_lone_surrogates_in_rows_are_kept_and_reported(tokforge: Tokforge) -> None:
    Path("rows.jsonl").write_text('{"text": "a \\ud800 b \\udfff\\ud800 end"}\n{"text": ""}\n' * 50)
    line = "train-bpe rows.jsonl --field text -o o.json --vocab-size 280 --json"
    ran = tokforge(*line.split())
    figures = json.loads(ran.out)
    assert ran.code == 0
    assert [one["reason"].split(",")[0] for one in figures["warnings"]] == ["50 rows hold lone surrogates"]
    assert [one["reason"] for one in figures["skipped"]] == ["50 rows are empty"]


def test_a_corpus_that_ends_early_says_so_and_keeps_what_it_learned(tokforge: Tokforge) -> None:
    Path("one").write_bytes(b"x")
    ran = tokforge(*["train-bpe", "one", "-o", "o.json", "--vocab-size", "300"])
    assert ran.code == 0
    assert "corpus exhausted: 0 merges were made of 44 asked" in ran.err
    error = refused(tokforge, *["train-bpe", "one", "-o", "p.json", "--vocab-size", "300", "--exact-size"])
    assert (error["code"], error["message"]) == ("corpus_exhausted", "no pair is left after 0 of 44 merges")


OUTPUTS = {
    "train-bpe": "train-bpe a.txt --vocab-size 270 --force --json -o {}/o.json",
    "encode": "encode t.json a.txt --force --json -o {}/o.npy",
    "decode": "decode t.json some.npy --force --json -o {}/back",
}


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_missing_output_folder_is_refused(command: str, trained: Tokforge) -> None:
    np.save("some.npy", np.zeros(10_000, np.uint16))
    error = refused(trained, *OUTPUTS[command].format("missing").split()[:-1], "missing/o.npy")
    assert (error["code"], error["message"]) == ("output", "its folder does not exist")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Returns ``mounted(options)``: a small file system of its own in memory, gone after the test."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        line = ["mount", "-t", "tmpfs", "-o", options, "tokforge-test", str(folder)]
        ran = subprocess.run(line, capture_output=True, text=True)
        if ran.returncode != 0:
            pytest.skip(f"this machine lets nobody mount a file system: {ran.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True)


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_full_disk_is_refused_and_left_as_it_was(
    command: str, mounted: Callable[[str], Path], trained: Tokforge
) -> None:
    np.save("some.npy", np.zeros(10_000, np.uint16))
    disk = mounted("size=64k")
    with pytest.raises(OSError, match="No space"), (disk / "filler").open("wb", 0) as file:
        while file.write(bytes(4096)):
            pass
    error = refused(trained, *OUTPUTS[command].format("disk").split())
    assert (error["code"], error["message"]) == ("output", "cannot be written: no space left on device")
    assert error["where"].startswith("disk/o.") or error["where"] == "disk/back"
    assert [path.name for path in disk.iterdir()] == ["filler"]


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_read_only_file_system_is_refused(
    command: str, mounted: Callable[[str], Path], trained: Tokforge
) -> None:
    np.save("some.npy", np.zeros(10, np.uint16))
    mounted("size=64k,ro")
    error = refused(trained, *OUTPUTS[command].format("disk").split())
    assert (error["code"], error["message"]) == ("output", "cannot be written: read-only file system")


def test_a_limit_on_file_sizes_leaves_nothing_half_written(trained: Tokforge, tmp_path: Path) -> None:
    np.save("some.npy", np.zeros(10_000, np.uint16))
    before = contents(tmp_path)
    for line in OUTPUTS.values():
        limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); "
        launch = ["-c", limited + "from tokforge_cli.app import main; main()"]
        error = failure(in_process(*launch, *line.format(".").split()))
        assert (error["code"], error["message"]) == ("output", "cannot be written: file too large")
        assert error["where"].startswith("o.") or error["where"] == "back"
        assert contents(tmp_path) == before


def in_process(*argv: str) -> Ran:
    ran = subprocess.run(
        [sys.executable, *argv], env=environment(), capture_output=True, text=True, timeout=60
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def modest(tmp_path: Path) -> Callable[..., Ran]:
    """Returns ``modest(*argv)``: the command line in a process that modes hold for, root's included."""
    secret = tmp_path / "secret"
    secret.write_bytes(TEXT)
    secret.chmod(0)
    probe = in_process("-c", DROP_ROOT, "-c", f"open({str(secret)!r})")
    if "PermissionError" not in probe.err:
        pytest.skip("this process may not give up its right to read everything")
    return lambda *argv: in_process("-c", DROP_ROOT, "-m", "tokforge_cli", *argv)


def test_unreadable_files_are_refused_or_reported(
    trained: Tokforge, modest: Callable[..., Ran], tmp_path: Path
) -> None:
    error = failure(modest(*["train-bpe", "secret", "-o", "o.json", "--json"]))
    assert (error["code"], error["message"], error["where"]) == ("input", "permission denied", "secret")
    for line in ("encode t.json secret --json", "encode secret a.txt --json", "inspect secret --json"):
        error = failure(modest(*line.split()))
        assert (error["code"], error["where"]) == ("input", "secret"), error
        assert "permission denied" in error["message"].lower()
    (tmp_path / "mixed").mkdir()
    (tmp_path / "secret").rename(tmp_path / "mixed" / "secret")
    (tmp_path / "a.txt").rename(tmp_path / "mixed" / "a.txt")
    ran = modest(*["train-bpe", "mixed", "-o", "o.json", "--vocab-size", "270", "--json"])
    assert ran.code == 0
    assert json.loads(ran.out)["skipped"] == [{"path": "mixed/secret", "reason": "permission denied"}]


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_read_only_folder_is_refused(
    command: str, trained: Tokforge, modest: Callable[..., Ran], tmp_path: Path
) -> None:
    np.save("some.npy", np.zeros(10, np.uint16))
    (tmp_path / "locked").mkdir(mode=0o500)
    error = failure(modest(*OUTPUTS[command].format("locked").split()))
    assert (error["code"], error["message"]) == ("output", "cannot be written: permission denied")
    assert list((tmp_path / "locked").iterdir()) == []


def test_what_strangers_tried(tokforge: Tokforge, tmp_path: Path) -> None:
    """Found by a hostile reader: each of these was accepted, hung, or took the machine's memory."""
    for line, words in {
        "train-bpe '' -o t.json": "an input is empty",
        "train-bpe a.txt -o t.json --pretokenizer ''": "pretokenizer is empty",
        "train-bpe a.txt -o -": "standard output cannot hold a tokenizer",
        "train-bpe a.txt -o t.json --pretokenizer [[:alpha:]]+": "Hugging Face",
        "train-bpe a.txt -o t.json --preset txt": "use one of: auto, binary, chinese-32k, code, text",
    }.items():
        ran = tokforge(*shlex.split(line))
        assert (ran.code, words in ran.err) == (2, True), (line, ran.err)
        assert ran.err.count("\n") == 1
        assert not (tmp_path / "t.json").exists()
    (tmp_path / "b.txt.gz").write_bytes(b"\x1f\x8b" + bytes(range(256)) * 8)
    ran = tokforge(*["train-bpe", "b.txt.gz", "-o", "gz.json", "--vocab-size", "300"])
    assert (ran.code, "compressed files are read as the bytes they are" in ran.err) == (0, True), ran.err
    ran = tokforge(*["train-bpe", "a.txt", "-o", "big.json", "--vocab-size", "2000000000", "--json"])
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["peak_memory_bytes"] < 4e9
