"""Loads models to run them: the one place that hands a folder to transformers.

No code of the folder is run (``trust_remote_code`` is never set), nothing is fetched, and a pickle is not
read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError, InputError
from tokforge.transplant.checkpoint import read_json
from tokforge.transplant.layout import require_extra

__all__ = ["load_model", "pick_device", "quietly"]


def load_model(folder: str | Path, *, device: str = "cpu", dtype: str = "float32") -> Any:
    """Returns a folder's model in evaluation mode, by the architecture that its config names.

    Raises ConfigError for an unknown architecture, InputError where the weights do not fit it.
    """
    require_extra()
    import torch
    import transformers

    name = (read_json(Path(folder) / "config.json").get("architectures") or ["?"])[0]
    kind = getattr(transformers, name, None)
    if kind is None:
        raise ConfigError(f"transformers has no {name}", "only its own architectures are run", str(folder))
    with quietly():
        try:
            model = kind.from_pretrained(
                str(folder), dtype=getattr(torch, dtype), local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"transformers cannot load it: {error}", "check the folder", str(folder)
            ) from error
    return model.to(pick_device(device)).eval()


def pick_device(name: str) -> str:
    """Returns the device that ``auto`` means here, or ``name``, such as ``cuda`` or ``cuda:1``.

    Raises ConfigError if there is none of that kind.
    """
    require_extra()
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name.partition(":")[0]]:
        raise ConfigError(f"there is no {name} device here", "use --device auto or cpu", "--device")
    return name


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps transformers' own progress bars and warnings off the terminal."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
