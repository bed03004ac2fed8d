"""The state of a run, in one safetensors file, so that a resumed run goes on as if it had not ended.

Held: the trained weights, AdamW's two moments, the best weights so far, and (as text in the header) step,
options, hashes and figures. Invariant: the file is replaced whole, and refused where options, model or
text are others.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError, FormatError
from tokforge.outputs import write_atomically
from tokforge.transplant.tensor_file import TensorFile

__all__ = ["Progressed", "load_state", "save_state"]

Tensors = Mapping[str, Any]


@dataclass
class Progressed:
    """Where a run stands."""

    key: str
    """Hash of options, model and text."""
    step: int = 0
    tokens: int = 0
    start_bits: float = 0.0
    best_bits: float = 0.0
    best_step: int = 0
    stale: int = 0
    """Validations since the best."""
    log: list[dict[str, Any]] = field(default_factory=list)


def save_state(
    path: Path, progressed: Progressed, weights: Tensors, best: Tensors | None, optimizer: Any, named: Tensors
) -> None:
    """Writes the state; ``named`` are the parameters that ``optimizer`` steps, by name."""
    from safetensors.torch import save

    tensors = {f"weight/{name}": value for name, value in weights.items()}
    tensors |= {f"best/{name}": value for name, value in (best or {}).items()}
    for name, parameter in named.items():
        for part, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{part}/{name}"] = value.detach().cpu().contiguous()
    with write_atomically(path, force=True) as file:
        file.write(save(tensors, {"tokforge": json.dumps(asdict(progressed))}))


def load_state(
    path: Path, key: str, optimizer: Any, named: Tensors
) -> tuple[Progressed, Tensors, Tensors | None]:
    """Returns where the run stood, its weights and best weights, and puts the moments back.

    Raises ConfigError for the state of another run, FormatError where it is malformed.
    """
    from safetensors.torch import load_file

    header = TensorFile.open(path).metadata.get("tokforge")
    try:
        progressed = Progressed(**json.loads(header or ""))
    except (ValueError, TypeError) as error:
        raise FormatError("this is no state of healing", "delete it to start anew", str(path)) from error
    if progressed.key != key:
        raise ConfigError(
            "the state is of other options, model or text", "delete it to start anew", str(path)
        )
    tensors = load_file(path)

    def part(prefix: str) -> dict[str, Any]:
        return {
            name.split("/", 1)[1]: value for name, value in tensors.items() if name.startswith(prefix + "/")
        }

    parts = {name: part(name) for name in ("step", "exp_avg", "exp_avg_sq")}
    for name, parameter in named.items():
        if name in parts["exp_avg"]:
            own = {one: values[name].clone() for one, values in parts.items()}
            moved = {one: own[one].to(parameter.device) for one in ("exp_avg", "exp_avg_sq")}
            optimizer.state[parameter] = {"step": own["step"], **moved}
    return progressed, part("weight"), part("best") or None
