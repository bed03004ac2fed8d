"""Writes tokenizer files and lints them."""

import json

import pytest

import tokforge.lint as linting


@pytest.fixture
def make(tmp_path):
    """Returns ``make(root, **companions)``: writes a folder with tokenizer.json and returns its path."""

    def write(root, **companions):
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        (folder / "chat_template.jinja").unlink(missing_ok=True)
        content = root if isinstance(root, str) else json.dumps(root)
        (folder / "tokenizer.json").write_text(content)
        for name, value in companions.items():
            if name == "chat_template":
                (folder / "chat_template.jinja").write_text(value)
            else:
                text = value if isinstance(value, str) else json.dumps(value)
                (folder / f"{name}.json").write_text(text)
        return folder

    return write


@pytest.fixture
def found(make):
    """Returns ``found(code, root, **companions)``: the findings of one rule."""

    def run(code, root, **companions):
        return linting.lint(make(root, **companions), select=[code]).findings

    return run
