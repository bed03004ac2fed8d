"""What no file of the house may hold: leftovers, ways to run what was read, a network, addresses, long functions."""

import ast
import re
import subprocess

import pytest

LONGEST_FUNCTION, LONGEST_FILE = 70, 500
EXCEPTIONS = {
    "cli/tokforge_cli/compare.py:compare": "one declaration an option; its statements are a quarter of it",
    "cli/tokforge_cli/infer_mixture.py:infer_mixture": "one declaration an option",
    "cli/tokforge_cli/simulate_mixture.py:simulate_mixture": "one declaration an option",
    "cli/tokforge_cli/convert.py:convert": "one declaration an option; its statements are a quarter of it",
    "cli/tokforge_cli/encode.py:encode": "one declaration an option; its statements are a third of it",
    "cli/tokforge_cli/train_hypernet.py:train_hypernet": "one declaration an option",
    "cli/tokforge_cli/heal.py:heal": "one declaration an option; its statements are a quarter of it",
    "cli/tokforge_cli/transplant.py:transplant": "one declaration an option; its statements are a third of it",
    "cli/tokforge_cli/train_bpe.py:train_bpe": "one declaration an option; its statements are a third of it",
}
"""Functions (``path:name``) and files (``path``) that are longer, and why."""

NETWORK = {
    *("aiohttp", "ftplib", "http", "httpx", "huggingface_hub", "imaplib", "requests", "smtplib", "socket"),
    *("socketserver", "ssl", "telnetlib", "urllib", "urllib3", "webbrowser", "xmlrpc"),
}
UNSAFE_MODULES = {"pickle", "cPickle", "cloudpickle", "code", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "yaml.unsafe_load",
    "yaml.full_load",
}
HUB = "tokforge/tokenizer/locations.py"
"""The one file that may ask the hub, and only for a name that the user wrote with ``hf:``."""
CLIENTS = "corpora/tokforge_corpora/_clients.py"
"""The file that starts programs: the package clients."""
PARSER = "tokforge/binaries/limited.py"
"""The file that starts the limited child which parses executables: this Python, on our own script."""

SERVER = "tokforge/report/server.py"
"""The one file that opens a socket: `explore`, on the loopback alone."""

# In parts, so that this file does not hold them either.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        *(("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"), ("npmjs", "org"), ("npmjs", "com")),
        *(("yarnpkg", "com"), ("debian", "org"), ("archive", "ubuntu", "com"), ("maven", "org")),
        *(
            ("maven", "apache", "org"),
            ("proxy", "golang", "org"),
            ("sum", "golang", "org"),
            ("rubygems", "org"),
        ),
        *(("anaconda", "org"), ("static", "rust-lang", "org"), ("rustup", "rs"), ("huggingface", "co")),
    ]
]


def calls(module):
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]


def test_no_assert_outside_tests(modules):
    """`python -O` drops them, and a user's mistake needs a typed error."""
    found = [m.place(node) for m in modules for node in ast.walk(m.tree) if isinstance(node, ast.Assert)]
    assert found == []


def test_nothing_that_was_read_is_run(modules):
    found = [
        f"{module.place(node)}: {ast.unparse(node.func)}"
        for module in modules
        for node in calls(module)
        if ast.unparse(node.func) in UNSAFE_CALLS
    ]
    found += [
        f"{module.place(node)}: {name}"
        for module in modules
        for name, node in module.imported()
        if name.split(".")[0] in UNSAFE_MODULES
    ]
    assert found == []


def test_numpy_never_unpickles_and_yaml_makes_plain_values(modules):
    for module in modules:
        for node in calls(module):
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if ast.unparse(node.func) == "np.load":
                assert keywords.get("allow_pickle") == "False", module.place(node)
            if ast.unparse(node.func) == "yaml.load":
                assert ast.unparse(node.args[1]) == "_loader()", module.place(node)
                assert "class Loader(yaml.SafeLoader)" in module.path.read_text()


def test_no_shell_and_programs_are_started_in_two_files(modules, root):
    starting = {
        str(module.path.relative_to(root))
        for module in modules
        for name, _ in module.imported()
        if name.split(".")[0] in ("subprocess", "multiprocessing", "pty")
        or name.startswith(("os.exec", "os.spawn", "asyncio"))
    }
    assert starting == {CLIENTS, PARSER}
    for module in modules:
        for node in calls(module):
            assert "shell" not in {keyword.arg for keyword in node.keywords}, module.place(node)


def test_no_network_but_the_hub(modules, root):
    found = [
        f"{module.place(node)}: {name}"
        for module in modules
        for name, node in module.imported()
        if name.split(".")[0] in NETWORK and str(module.path.relative_to(root)) not in (HUB, SERVER)
    ]
    assert found == []


@pytest.fixture(scope="module")
def tracked(root):
    """Every file under version control, as bytes."""
    try:
        ran = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so no file is known to be tracked")
    paths = [root / name for name in ran.stdout.decode().split("\0") if name]
    return {path: path.read_bytes() for path in paths if path.is_file()}


def test_no_file_names_a_registrys_host(tracked, root):
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)).encode(), re.IGNORECASE)
    found = {
        str(path.relative_to(root)): match[0]
        for path, data in tracked.items()
        if (match := pattern.search(data))
    }
    assert found == {}


def test_tracked_files_are_sources_not_products(tracked, root):
    products = re.compile(r"(\.(so|pyd|whl|o|rlib|pyc|npy|bin|gz|zst|parquet)|Cargo\.lock)$")
    assert [str(path.relative_to(root)) for path in tracked if products.search(path.name)] == []
    assert [str(path.relative_to(root)) for path, data in tracked.items() if len(data) > 1_000_000] == []


def engine_files(root):
    found = sorted((root / "core" / "src").rglob("*.rs"))
    assert len(found) > 10
    return found


def is_test(path):
    return "tests" in path.parts or path.name == "tests.rs"


def test_no_leftovers_in_the_engine(root):
    """Nor any way to print or to end the process: Rust returns errors, and Python speaks to the user."""
    leftover = re.compile(
        r"\b(?:todo|unimplemented|dbg|println|eprintln|print)!|process::(?:exit|abort)|TODO|FIXME|XXX"
    )
    for path in engine_files(root):
        if not is_test(path):
            assert not leftover.search(path.read_text()), path


def test_no_leftovers_in_the_packages(modules):
    for module in modules:
        assert not re.search(r"\b(?:TODO|FIXME|XXX|HACK|breakpoint\(|pdb)\b", module.path.read_text()), (
            module.path
        )


def python_functions(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def rust_functions(path):
    """Yields (name, lines); rustfmt puts a function's closing brace under its first letter."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        if found := re.match(r"(\s*)(?:pub(?:\([^)]*\))? )?(?:const |unsafe |async )*fn (\w+)", line):
            ends = (n for n, other in enumerate(lines[at:], 1) if other == found[1] + "}")
            yield found[2], 1 if line.endswith(("}", ";")) else next(ends)


def sources(root):
    for folder in ("tokforge", "cli", "corpora", "tests", "benches"):
        yield from ((path, python_functions(path)) for path in sorted((root / folder).rglob("*.py")))
    yield from ((path, rust_functions(path)) for path in engine_files(root))


def test_functions_and_files_are_short(root):
    long = set()
    for path, functions in sources(root):
        place = str(path.relative_to(root))
        if path.read_text(encoding="utf-8").count("\n") > LONGEST_FILE:
            long.add(place)
        long |= {f"{place}:{name}" for name, lines in functions if lines > LONGEST_FUNCTION}
    assert long == EXCEPTIONS.keys()
    assert all(EXCEPTIONS.values())


def test_functions_were_found_in_both_languages(root):
    found = dict(rust_functions(root / "core" / "src" / "bpe" / "train.rs"))
    assert len(found) > 5
    assert max(found.values()) > 5
    assert dict(python_functions(root / "tokforge" / "errors.py"))["pick"] == 5
