"""A network's folder: ``hypernet.json``, ``hypernet.safetensors``, ``training.safetensors``, ``log.jsonl``.

The second has the weights that were best on the validation tokenizers, the third the last weights and AdamW's
moments, for an exact resume. No pickle anywhere.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tokforge.errors import FormatError, InputError
from tokforge.outputs import write_files
from tokforge.transplant.checkpoint import read_json
from tokforge.transplant.hypernet.config import HypernetConfig
from tokforge.transplant.hypernet.host import Host, fingerprint
from tokforge.transplant.hypernet.network import Hypernet
from tokforge.transplant.tensor_file import TensorFile

__all__ = [
    "LOG",
    "RECORD",
    "TRAINING",
    "WEIGHTS",
    "check_host",
    "describe",
    "load_hypernet",
    "read_tensors",
    "write_folder",
]

RECORD, WEIGHTS, TRAINING, LOG = "hypernet.json", "hypernet.safetensors", "training.safetensors", "log.jsonl"
_VERSION = 1
_FAR = 1.0
"""Mean rows further apart than this many deviations are another model's, not a fine-tune's."""


def describe(host: Host, config: HypernetConfig, **state: Any) -> dict[str, Any]:
    """Returns what ``hypernet.json`` holds."""
    return {
        "format": _VERSION,
        "config": config.as_dict(),
        "sides": dict(host.rows.sides),
        "vocabulary": fingerprint(host.old),
        "mean": [round(float(value), 6) for value in host.rows.mean],
        **state,
    }


def write_folder(
    folder: Path, record: Mapping[str, Any], tensors: Mapping[str, Mapping[str, torch.Tensor]]
) -> None:
    """Writes the record and files of tensors, each whole or not at all."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[Any, bytes] = {
        folder / name: save({key: one.detach().cpu().contiguous() for key, one in group.items()})
        for name, group in tensors.items()
    }
    files[folder / RECORD] = (json.dumps(record, indent=1) + "\n").encode()
    write_files(files, force=True)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a file as float32. Raises InputError or FormatError."""
    file = TensorFile.open(path)
    return {name: torch.from_numpy(np.array(file.array(name), np.float32)) for name in file.tensors}


def load_hypernet(folder: str | Path, host: Host) -> Hypernet:
    """Returns a trained network, ready to predict rows of the host's model.

    Raises InputError where there is none, FormatError where it is malformed or another model's.
    """
    folder = Path(folder)
    if not (folder / RECORD).is_file():
        raise InputError(f"there is no {RECORD}", "give a folder that train-hypernet wrote", str(folder))
    record = read_json(folder / RECORD)
    if record.get("format") != _VERSION:
        raise FormatError(
            f"its format is {record.get('format')!r}", "use the tokforge that wrote it", str(folder)
        )
    check_host(record, host, str(folder))
    net = Hypernet(HypernetConfig.from_dict(record["config"]).net, record["sides"])
    try:
        net.load_state_dict(read_tensors(folder / WEIGHTS))
    except RuntimeError as error:
        raise FormatError("its weights do not fit its record", "restore both", str(folder)) from error
    net.eval()
    return net


def check_host(record: Mapping[str, Any], host: Host, where: str) -> None:
    """Raises FormatError unless a network's record fits a model: its base, or a fine-tune of it."""
    hint = "give the model that it was trained for, or a fine-tune of that"
    if record.get("sides") != dict(host.rows.sides):
        raise FormatError(
            f"it predicts {record.get('sides')}, the model has {dict(host.rows.sides)}", hint, where
        )
    if record.get("vocabulary") != fingerprint(host.old):
        raise FormatError("it was trained for a model with another tokenizer", hint, where)
    mean = torch.tensor(record["mean"])
    apart = float((mean - host.rows.mean).norm() / host.rows.deviation.norm())
    if not apart < _FAR:
        raise FormatError(f"its model's mean row is {apart:.1f} deviations from this one's", hint, where)
