"""The functions that `merge-curve` learns from: their names' first words, and defects put into them.

Two tasks on Python functions whose own name, docstring and comments are gone. ``names``: the first word of
the name (get, set, add, ...). ``defects``: was one place changed, each function being there both ways: an
operator or comparison turned round, two neighbouring arguments exchanged, or a variable put where another one
was. Packages are divided, so that none is on both sides. What was found is kept for the next start.
"""

import ast
import copy
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


class Text(NamedTuple):
    """A function as it is read, and its class."""

    code: str
    label: int


class Task(NamedTuple):
    """Both sides of a task."""

    train: list[Text]
    test: list[Text]
    classes: list[str]


def task(name: str, source: Path, cache: Path, classes: int, limits: tuple[int, int]) -> Task:
    """Reads a task from the packages under ``source``, or from ``cache`` where it was read before.

    ``limits``: texts to train and test on, the same draw at every call.
    """
    if not cache.exists():
        found = list(_functions(source, classes))
        partial = cache.with_suffix(".partial")
        partial.write_text("".join(json.dumps(one) + "\n" for one in found))
        partial.rename(cache)
    found = [json.loads(line) for line in cache.read_text().splitlines()]
    words = sorted({one["word"] for one in found})
    sides: tuple[list[Text], list[Text]] = ([], [])
    for one in found:
        if name == "names":
            sides[one["test"]].append(Text(one["code"], words.index(one["word"])))
        elif one["mutant"]:
            sides[one["test"]].extend([Text(one["code"], 0), Text(one["mutant"], 1)])
    train, test = (_drawn(side, limit, name) for side, limit in zip(sides, limits, strict=True))
    return Task(train, test, words if name == "names" else ["clean", "mutated"])


def _drawn(side: list[Text], limit: int, name: str) -> list[Text]:
    """Draws whole pairs where texts stand in pairs."""
    step = 2 if name == "defects" else 1
    groups = [side[at : at + step] for at in range(0, len(side), step)]
    random.Random(0).shuffle(groups)
    return [text for group in groups[: limit // step] for text in group]


def _functions(folder: Path, classes: int) -> Iterator[dict[str, Any]]:
    """Yields functions of the most frequent first words, no source twice on a side."""
    paths = [path for path in sorted(folder.rglob("*.py")) if _is_test(path, folder) or _hash(str(path)) % 2]
    words = {word for word, _ in Counter(_first_words(paths)).most_common(classes)}
    seen = set()
    for path in paths:
        try:
            tree = ast.parse(path.read_text())
        except (SyntaxError, ValueError, RecursionError, OSError):
            continue
        side = _is_test(path, folder)
        for node in ast.walk(tree):
            word = _first_word(node)
            if word in words and _strip(node):
                code = ast.unparse(node)
                if (side, code) not in seen:
                    seen.add((side, code))
                    yield {"test": side, "word": word, "code": code, "mutant": mutant(node, code)}


def _first_words(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        for word in re.findall(r"^ *def _?(?!_)([a-z]+)", path.read_text(errors="replace"), re.MULTILINE):
            if word != "test":  # tests tell themselves by their asserts, and would be half of all functions
                yield word


def _first_word(node: ast.AST) -> str | None:
    found = re.match(r"_?(?!_)([a-z]+)", node.name) if isinstance(node, ast.FunctionDef) else None
    return found[1] if found else None


def _strip(node: Any) -> bool:
    """Takes name and docstring away; returns whether a body of two statements is left."""
    node.name = "f"
    if ast.get_docstring(node):
        node.body = node.body[1:]
    return len(node.body) > 1


def _is_test(path: Path, folder: Path) -> bool:
    return _hash(path.relative_to(folder).parts[0]) % 2 == 0


def _hash(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]


def mutant(function: Any, code: str) -> str | None:
    """Returns the function with one defect, drawn by its source; None where there is no place for one."""
    draw = random.Random(code)
    tree = copy.deepcopy(function)
    kinds = [_turn, _exchange, _misuse]
    draw.shuffle(kinds)
    for kind in kinds:
        if kind(tree, draw):
            changed = ast.unparse(tree)
            return changed if changed != code else None
    return None


def _turn(tree: ast.AST, draw: random.Random) -> bool:
    places = [node for node in ast.walk(tree) if type(_operator(node)) in TURNED]
    if not places:
        return False
    node: Any = draw.choice(places)
    turned = TURNED[type(_operator(node))]()
    if isinstance(node, ast.Compare):
        node.ops[0] = turned  # type: ignore[call-overload]
    else:
        node.op = turned
    return True


def _operator(node: ast.AST) -> Any:
    return node.ops[0] if isinstance(node, ast.Compare) else getattr(node, "op", None)


def _exchange(tree: ast.AST, draw: random.Random) -> bool:
    places = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) > 1
        and ast.dump(node.args[0]) != ast.dump(node.args[1])
    ]
    if not places:
        return False
    call = draw.choice(places)
    call.args[:2] = call.args[1::-1]
    return True


def _misuse(tree: ast.AST, draw: random.Random) -> bool:
    reads = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    places = [node for node in reads if node.id in names and len(names) > 1]
    if not places:
        return False
    node = draw.choice(places)
    node.id = draw.choice(sorted(names - {node.id}))
    return True
