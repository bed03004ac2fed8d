"""Package clients: what they are told, where their file is found, and what a failure says. No network."""

import sys
from pathlib import Path

import pytest
from tokforge_corpora import _clients
from tokforge_corpora._clients import CLIENTS, download
from tokforge_corpora._manifest import CLIENTS as NAMES
from tokforge_corpora._manifest import Item
from tokforge_corpora.refresh import main, refresh

from tokforge.errors import InputError


def item(client, package, version, file, **keys):
    return Item(client=client, package=package, version=version, file=file, sha256="0" * 64, bytes=1, **keys)


def test_every_client_of_a_manifest_can_be_run():
    assert sorted(CLIENTS) == sorted(NAMES)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (item("apt", "p", "4:1-2", "p.deb"), ["apt-get", "download", "p=4:1-2"]),
        (item("npm", "@s/p", "1.0", "s-p-1.0.tgz"), ["pack", "--ignore-scripts", "@s/p@1.0"]),
        (item("go", "a.org/m", "v1.0", "m.zip"), ["go", "mod", "download", "a.org/m@v1.0"]),
        (
            item("maven", "g:a", "1", "a.jar", classifier="sources"),
            ["dependency:copy", "-Dartifact=g:a:1:jar:sources"],
        ),
        (item("pip", "p", "1", "p.whl"), ["--only-binary=:all:", "--no-deps", "p==1"]),
        (
            item("pip", "p", "1", "p.whl", platforms=("win_amd64",)),
            ["--platform", "win_amd64", "abi3", "p==1"],
        ),
    ],
)
def test_arguments(wanted, words, tmp_path):
    arguments = CLIENTS[wanted.client].arguments(wanted, tmp_path)
    assert [word for word in words if word not in arguments] == []


def test_cargo_gets_a_project_with_one_exact_dependency(tmp_path, monkeypatch):
    arguments = CLIENTS["cargo"].arguments(item("cargo", "syn", "2.0.1", "syn-2.0.1.crate"), tmp_path)
    assert arguments[:2] == ["cargo", "fetch"]
    assert '"syn" = { version = "=2.0.1", default-features = false }' in (tmp_path / "Cargo.toml").read_text()


def test_files_are_found_in_the_stores_of_cargo_and_go(tmp_path, monkeypatch):
    store = tmp_path / "home" / "registry" / "cache" / "some-mirror"
    store.mkdir(parents=True)
    (store / "syn-2.crate").write_bytes(b"crate")
    (tmp_path / "m.zip").write_bytes(b"module")
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "home"))
    outputs = {"cargo": "", "go": f'{{"Zip": {str(tmp_path / "m.zip")!r}}}'.replace("'", '"')}
    for client, file, content in (("cargo", "syn-2.crate", b"crate"), ("go", "x.zip", b"module")):
        monkeypatch.setattr(_clients, "run", lambda *_, client=client: outputs[client])
        folder = tmp_path / client
        folder.mkdir()
        assert download(item(client, "p", "2", file), folder).read_bytes() == content
    assert (store / "syn-2.crate").exists()  # the client's own copy stays


def test_another_file_than_the_manifests_is_an_error(client, tmp_path):
    client.files["p"] = ("p-2.whl", b"")
    with pytest.raises(InputError, match=r"pip brought p-2\.whl, not p-1\.whl") as caught:
        download(item("pip", "p", "1", "p-1.whl"), tmp_path)
    assert caught.value.where == "p 1"


def test_a_failing_client_is_quoted(tmp_path):
    code = "import sys; sys.stderr.write('one\\ntwo\\nE: no such\\n'); sys.exit(100)"
    with pytest.raises(InputError, match=r"failed \(100\): one / two / E: no such; do this") as caught:
        _clients.run([sys.executable, "-c", code], tmp_path, "do this", "p 1")
    assert caught.value.where == "p 1"


def test_a_missing_client_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, hint in (
        ("go", "install Go"),
        ("npm", "install Node.js"),
        ("apt", "Debian 12"),
        ("maven", "install Maven"),
    ):
        with pytest.raises(InputError, match=f"cannot be run.*{hint}"):
            download(item(name, "p:q" if name == "maven" else "p", "1", "f"), tmp_path)


def test_a_client_gets_no_shell_and_no_input(tmp_path):
    code = "import sys; print(sys.stdin.read(), sys.argv[1])"
    assert (
        _clients.run([sys.executable, "-c", code, "$(id); `id`"], tmp_path, "", "").strip() == "$(id); `id`"
    )


MANIFEST = """# Kept.
name = "m"

[[items]]
client = "pip"
package = "one"
version = "1.0"
sha256 = "stale"
group = "g"

[[items]]
client = "npm"
package = "two"
version = "2.0"
"""


def test_refresh_pins_what_the_clients_bring(client):
    client.files |= {"one": ("one-1.0.whl", b"1"), "two": ("two-2.0.tgz", b"22")}
    text = refresh(MANIFEST)
    assert text.startswith('# Kept.\nname = "m"\n')
    assert 'file = "one-1.0.whl"' in text
    assert "stale" not in text
    assert "bytes = 2\n" in text
    assert refresh(text) == text


def test_refresh_reports_errors_in_one_line(client, tmp_path, capsys):
    path = tmp_path / "m.toml"
    for content in ("name = ", 'name = "m"', MANIFEST):
        path.write_text(content)
        assert main([str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
    assert main([]) == 2
    assert main([str(Path(tmp_path, "missing"))]) == 2
