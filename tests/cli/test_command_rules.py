"""What holds for every command: thin files, common options, help that helps."""

import ast
import inspect
import sys
from pathlib import Path

import pytest
from cli_harness import ROOT, Run
from command_tree import commands

CLI = ROOT / "cli" / "tokforge_cli"
COMMAND_FILES = sorted(
    path
    for path in CLI.glob("*.py")
    if not path.name.startswith("_") and path.stem not in ("app", "start")  # these hold no command
)
HEAVY = {"numpy", "torch", "transformers", "scipy", "matplotlib", "pyarrow"}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", COMMAND_FILES, ids=lambda path: path.name)
def test_command_file_has_no_try_and_no_arrays(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Try | ast.TryStar)]
    assert not imported(tree) & HEAVY


@pytest.mark.parametrize("path", COMMAND_FILES, ids=lambda path: path.name)
def test_command_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.body[0].lineno <= 45, node.name


@pytest.fixture
def tree(run: Run) -> dict[str, object]:
    return commands()


def test_every_command_has_the_common_options(tree: dict[str, object]) -> None:
    for name, command in tree.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--quiet", "--config"} <= options, name
        assert "--force" in options or not {"--output", "--export"} & options, name


def test_every_command_and_option_is_explained(tree: dict[str, object]) -> None:
    for name, command in tree.items():
        assert command.help, name
        assert command.epilog.strip().startswith(f"tokforge {name} "), name
        assert all(parameter.help for parameter in command.params), name


def test_examples_name_real_options(tree: dict[str, object]) -> None:
    for name, command in tree.items():
        options = {option for parameter in command.params for option in parameter.opts}
        for line in command.epilog.strip().splitlines():
            ours = line.split(" | ")[0].split()
            assert {word for word in ours if word.startswith("-") and word != "-"} <= options, (name, line)


def test_help_groups_options_and_shows_defaults_and_examples(run: Run) -> None:
    ran = run("train-bpe", "--help")
    assert (ran.code, ran.err) == (0, "")
    for title in ("Arguments", "Vocabulary", "Splitting", "Reading and sampling", "This run", "Examples"):
        assert f"\n{title}:\n" in ran.out
    assert "[default: 2]" in ran.out
    assert "\n  tokforge train-bpe /usr/bin -o tokenizer.json" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("line", ["", "--help", "corpora", "corpora --help"])
def test_a_group_shows_its_commands(line: str, run: Run) -> None:
    ran = run(*line.split())
    assert (ran.code, ran.err) == (0, "")
    assert "Commands:\n" in ran.out


def test_defaults_are_those_of_the_library(run: Run) -> None:
    from tokforge_cli.train_bpe import train_bpe

    from tokforge.bpe import BpeConfig

    config = BpeConfig()
    shown = {name: parameter.default for name, parameter in inspect.signature(train_bpe).parameters.items()}
    for name in sorted(shown.keys() & set(dir(config)) - {"family"}):
        assert shown[name] == getattr(config, name), name
    assert (shown["seed"], shown["temperature"]) == (config.sampling.seed, config.sampling.temperature)


def test_the_shown_size_is_the_librarys(run: Run) -> None:
    from tokforge.bpe import BpeConfig

    assert f"else {BpeConfig().table_size}." in " ".join(run("train-bpe", "--help").out.split())


def test_options_reach_the_library(run: Run, tmp_path: Path) -> None:
    from cli_fakes import calls

    (tmp_path / "a.txt").write_text("x")
    line = (
        "train-bpe a.txt -o t.json --vocab-size 999 --family 300,400 --family 500 --min-frequency 3 "
        "--max-token-bytes 9 --multiple-of 64 --exact-size --preset code --pretokenizer gpt2 --field body "
        "--weight a.txt=0.5 --sample 1.5kB --seed 7 --no-follow-symlinks --threads 2 "
        "--special <a> --special <b>"
    )
    assert run(*line.split()).err == ""
    config = calls[-1]
    assert (config.vocab_size, config.family, config.special_tokens) == (999, (300, 400, 500), ("<a>", "<b>"))
    assert (config.min_frequency, config.max_token_bytes, config.multiple_of) == (3, 9, 64)
    assert (config.exact_size, config.preset, config.pretokenizer, config.field) == (
        True,
        "code",
        "gpt2",
        "body",
    )
    assert (config.follow_symlinks, config.threads) == (False, 2)
    sampling = config.sampling
    assert (dict(sampling.weights), sampling.sample_bytes, sampling.seed) == ({"a.txt": 0.5}, 1500, 7)


def test_names_that_hold_control_characters_stay_on_one_line(run: Run) -> None:
    ran = run("encode", "bad\n\x1b[31mname.json", "a.txt")
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err
    assert "\\n\\x1b[31mname.json" in ran.err


def test_traceback_only_when_debugging(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    line = ("train-bpe", "bug", "-o", "t.json")
    assert "Traceback" not in run(*line).err
    monkeypatch.setenv("TOKFORGE_DEBUG", "1")
    ran = run(*line)
    assert ran.code == 2
    assert ran.err.startswith("Traceback")
    assert ran.err.splitlines()[-1].startswith("tokforge: ZeroDivisionError")


def test_the_answer_no_is_exit_code_1(run: Run) -> None:
    import typer
    from tokforge_cli.app import app
    from tokforge_cli.app import run as run_app

    assert run("--version").code == 0
    answering = typer.Typer(rich_markup_mode=None)

    @answering.command()
    def verify() -> None:
        raise typer.Exit(1)

    assert app is not answering
    assert run_app([], answering) == 1


def test_text_that_does_not_fit_the_terminal_is_escaped(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"vocab_size": 300}')
    name = "b\udc80d.txt"
    (tmp_path / name).write_text("x")
    ran = run("encode", "t.json", name)
    assert (ran.code, sys.stdout.errors) == (0, "backslashreplace")
    assert "b\\udc80d.txt" in ran.out
