"""Where a tokenizer or a model is looked for: a path, ``pkg:package/path`` or ``hf:owner/name[@revision]``.

A package's resource is found without importing the package, so none of its code runs. The hub is asked
only for a name that the user wrote with ``hf:``; a path that does not exist is never a download.
"""

import re
from importlib.machinery import PathFinder
from pathlib import Path

from tokforge.errors import ConfigError, InputError, MissingExtraError
from tokforge.tokenizer.display import quoted

__all__ = ["HUB_FILES", "MODEL_FILES", "locate", "locate_model"]

_PACKAGE, _HUB = "pkg:", "hf:"
_HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
HUB_FILES = (
    *("tokenizer.json", "tokenizer.tokforge.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "tekken.json", "*.tiktoken"),
    *("*.model", "*.model.v*"),
)
"""The files of a repository that a tokenizer may need; weights are not fetched for one."""
MODEL_FILES = (
    *HUB_FILES,
    *("config.json", "generation_config.json", "chat_template.jinja", "README.md"),
    *("*.safetensors", "model.safetensors.index.json"),
)
"""The files of a repository that a model may need: no pickle and no code."""


def locate(path: str | Path) -> Path:
    """Returns the local file or folder that a tokenizer's ``path`` means; it need not exist.

    Raises ConfigError for a malformed ``pkg:`` or ``hf:`` name, InputError for an empty one and where the
    package or the repository has no such file, MissingExtraError without huggingface_hub.
    """
    return _located(path, HUB_FILES)


def locate_model(path: str | Path) -> Path:
    """Returns the local folder that a model's ``path`` means, as `locate` does; weights are fetched."""
    return _located(path, MODEL_FILES)


def _located(path: str | Path, wanted: tuple[str, ...]) -> Path:
    text = str(path)
    if not text:
        raise InputError("the path is empty", "name a file or folder; . is this folder")
    if text.startswith(_PACKAGE):
        return _resource(text.removeprefix(_PACKAGE), text)
    if text.startswith(_HUB):
        return _snapshot(text.removeprefix(_HUB), wanted, text)
    return Path(path)


def _resource(name: str, where: str) -> Path:
    package, _, inside = name.partition("/")
    if not package.isidentifier() or not inside:
        raise ConfigError(f"{quoted(name)} names no resource", "write pkg:package/path/within/it", where)
    folders = _folders(package, where)
    for folder in folders:
        found = (folder / inside).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise ConfigError(f"{quoted(inside)} leads out of the package", "name a file inside it", where)
        if found.exists():
            return found
    raise InputError(f"the package {package} has no {quoted(inside)}", f"look into {folders[0]}", where)


def _folders(package: str, where: str) -> list[Path]:
    """Returns where the package lies. PathFinder reads folders alone: `find_spec` of a dotted name, or an
    import hook, would run code."""
    spec = PathFinder.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"no package {package} is installed",
            f"install it: pip install {package.replace('_', '-')}",
            where,
        )
    return [Path(folder) for folder in spec.submodule_search_locations]


def _snapshot(name: str, wanted: tuple[str, ...], where: str) -> Path:
    parsed = _HUB_NAME.fullmatch(name)
    if parsed is None:
        raise ConfigError(
            f"{quoted(name)} names no repository", "write hf:owner/name or hf:owner/name@revision", where
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtraError(
            "reading from the hub needs huggingface_hub", "pip install 'tokforge[convert]'", where
        ) from error
    try:
        folder = snapshot_download(
            parsed["repository"], revision=parsed["revision"], allow_patterns=list(wanted)
        )
    except Exception as error:  # its errors have many classes: of requests, of the hub, of the cache
        problem = " ".join(str(error).split())[:300]
        raise InputError(
            f"the hub did not give it: {problem}", "check the name, the network and your access", where
        ) from error
    return Path(folder)
