"""The error tree: one code a class, drawn as it is, and every fault of the engine has its class."""

import re

import tokforge
from tokforge import errors
from tokforge.errors import TokforgeError

BRANCH = re.compile(r"^\s*(?P<line>(?:[│ ]   )*(?:[├└]── )?)(?P<name>\w+Error)\s+(?P<code>[a-z_]+)\s+\S")


def classes(base=TokforgeError):
    """Yields ``base`` and all classes below it that the library defines."""
    yield base
    for child in base.__subclasses__():
        if child.__module__ == "tokforge.errors":
            yield from classes(child)


def drawn():
    """Reads the tree of the module's docstring: class -> (code, parent)."""
    found, above = {}, {}
    for line in errors.__doc__.splitlines():
        if match := BRANCH.match(line):
            depth = len(match["line"]) // 4
            above[depth] = match["name"]
            found[match["name"]] = (match["code"], above.get(depth - 1))
    return found


def test_every_class_is_drawn_where_it_stands_with_its_code():
    actual = {
        one.__name__: (one.code, one.__base__.__name__ if one is not TokforgeError else None)
        for one in classes()
    }
    tree = drawn()
    assert tree.pop("TokforgeError")[1] is None
    assert tree == {name: entry for name, entry in actual.items() if name != "TokforgeError"}


def test_codes_are_distinct_and_snake_case():
    codes = [one.code for one in classes()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_every_class_is_listed_here_and_in_tokforge():
    names = {one.__name__ for one in classes()}
    assert names == {name for name in errors.__all__ if name.endswith("Error")}
    assert names <= set(tokforge.__all__)


def test_every_fault_of_the_engine_has_its_class(root):
    source = (root / "core" / "src" / "error.rs").read_text()
    body = re.search(r"pub enum Error \{(.*?)\n\}", source, re.DOTALL)[1]
    documented = re.findall(r"/// [^\n]*\(`(\w+)`\)\.\n\s+(\w+)", body)
    variants = re.findall(r"^    (\w+)(?:\(Message\))?,$", body, re.MULTILINE)
    assert [name for _, name in documented] == variants != []
    binding = (root / "core" / "src" / "python" / "errors.rs").read_text()
    mapped = dict(re.findall(r"Error::(\w+)(?:\(message\))? => (\w+)::new_err", binding))
    assert mapped.pop("Interrupted") == "PyKeyboardInterrupt"
    assert mapped == {name: class_ for class_, name in documented if name != "Interrupted"}
    assert set(re.findall(r"import_exception!\(tokforge\.errors, (\w+)\)", binding)) == set(mapped.values())
    assert all(issubclass(getattr(errors, name), TokforgeError) for name in mapped.values())
