"""The artefact on disk: tokenizer.json, its sidecar, and tokenizer_config.json for a pretrained folder."""

import stat
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tokforge.errors import FormatError, InputError, OutputError
from tokforge.outputs import StrPath, output_error, write_files
from tokforge.tokenizer.formats.hf_config import read_roles, write_config
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.formats.proof import prove_export
from tokforge.tokenizer.formats.sidecar import read_sidecar, write_sidecar
from tokforge.tokenizer.model import with_roles

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["load", "save", "save_pretrained", "sidecar_path"]

_NAME = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
_SUFFIX = ".tokforge.json"
_MAX_BYTES = 2**30


def sidecar_path(path: Path) -> Path:
    """Returns the sidecar's place: `a/tokenizer.json` has `a/tokenizer.tokforge.json`."""
    return path.with_name(path.stem + _SUFFIX)


def load(path: Path) -> "Tokenizer":
    """Reads the artefact at ``path``; see `Tokenizer.load`.

    Roles come from the sidecar; without one, from a tokenizer_config.json beside the file.
    """
    from tokforge.tokenizer.tokenizer import Tokenizer

    if path.name.endswith(_SUFFIX):
        raise FormatError("this is a sidecar, not a tokenizer", f"load {_NAME} beside it", str(path))
    if _is_folder(path):
        path = path / _NAME
    definition = read_definition(_read(path), str(path))
    sidecar, config = sidecar_path(path), path.with_name(_CONFIG)
    if sidecar.exists():
        found = read_sidecar(_read(sidecar), str(sidecar), Tokenizer(definition).fingerprint)
        return Tokenizer(with_roles(definition, found.roles, str(sidecar)), found.provenance_json)
    if config.exists():
        roles = read_roles(_read(config), str(config), {token.text for token in definition.added_tokens})
        return Tokenizer(with_roles(definition, roles, str(config)))
    return Tokenizer(definition)


def save(
    tokenizer: "Tokenizer", path: Path, *, force: bool, beside: Mapping[StrPath, bytes] | None = None
) -> Path:
    """Writes tokenizer.json and the sidecar; see `Tokenizer.save`."""
    path = path / _NAME if _is_folder(path) else path
    if path.name.endswith(_SUFFIX):
        raise OutputError(
            "this is a sidecar's name", f"save as {_NAME}; the sidecar is written beside it", str(path)
        )
    _write(tokenizer, path, beside or {}, force=force)
    return path


def _is_folder(path: Path) -> bool:
    """Tells whether ``path`` is a folder; a path that cannot be looked at, too long for one, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def save_pretrained(tokenizer: "Tokenizer", folder: Path, *, force: bool) -> Path:
    """Writes a folder for `AutoTokenizer`; see `Tokenizer.save_pretrained`."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error
    path = folder / _NAME
    _write(tokenizer, path, {folder / _CONFIG: write_config(tokenizer.definition)}, force=force)
    return path


def _write(tokenizer: "Tokenizer", path: Path, more: Mapping[StrPath, bytes], *, force: bool) -> None:
    content = write_definition(tokenizer.definition)
    sidecar = write_sidecar(tokenizer.definition, tokenizer.provenance_json, sha256(content).hexdigest())
    # tokenizer.json goes last: a sidecar without it is no tokenizer, while the reverse would load.
    files: dict[StrPath, bytes | str] = {**more, sidecar_path(path): sidecar, path: content}
    write_files(files, force=force, check=partial(_prove, tokenizer, path))


def _prove(tokenizer: "Tokenizer", path: Path, temporary: Mapping[StrPath, Path]) -> None:
    prove_export(tokenizer, temporary[path])


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "this is no ordinary file", f"give a {_NAME} or the folder that holds one", str(path)
            )
        if status.st_size > _MAX_BYTES:
            raise FormatError(
                f"{status.st_size} bytes are too many for a tokenizer", "give a smaller file", str(path)
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            "there is no such file", f"give a {_NAME} or the folder that holds one", str(path)
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read: {getattr(error, 'strerror', error)}",
            "check the path and its permissions",
            str(path),
        ) from error
