"""Checks that run the models: the same on shared tokens, able to generate, fit for chat.

Sequences are drawn from the tokens that both vocabularies share, so no text is needed and every position is
compared. Hidden states must be equal to the bit; logits of shared tokens may differ in the last bits,
since matrices of other sizes are multiplied in other blocks.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tokforge.transplant.alignment import Alignment
from tokforge.transplant.models import load_model, quietly
from tokforge.transplant.settings import markers
from tokforge.transplant.verify import Check, Outcome

__all__ = ["may_run", "verify_running"]

_SEQUENCES, _LENGTH = 4, 48
_TOLERANCE = 1e-4
_SHARE = 0.25
"""Part of the free memory that a check may take for two models in float32."""


def may_run(folder: Path) -> bool:
    """Tells whether two models of this folder's size fit in a part of the memory that is free."""
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        free = 8 << 30
    return 4 * size < _SHARE * free


def verify_running(old: Path, new: Path, alignment: Alignment, kind: str) -> list[Check]:
    """Runs both models on shared tokens, generates, and renders the chat template."""
    if not len(alignment.shared):
        checks = [Check("equal on shared tokens", "skipped", "no token is shared")]
    else:
        checks = [_equal(old, new, alignment)]
    if kind == "causal":
        checks.append(_generates(new, alignment))
    return [*checks, _template(new, alignment)]


def _equal(old: Path, new: Path, alignment: Alignment) -> Check:
    import torch

    rng = np.random.default_rng(0)
    drawn = alignment.shared[rng.integers(len(alignment.shared), size=(_SEQUENCES, _LENGTH))]
    with torch.inference_mode():
        hidden, logits = _outputs(load_model(old), torch.from_numpy(drawn[:, :, 1]), alignment.shared[:, 1])
        same, other = _outputs(load_model(new), torch.from_numpy(drawn[:, :, 0]), alignment.shared[:, 0])
    apart = float((hidden - same).abs().max())
    wide = 0.0 if logits is None else float((logits - other).abs().max() / logits.abs().max().clamp(min=1e-9))
    outcome: Outcome = "pass" if apart == 0 and wide <= _TOLERANCE else "fail"
    detail = f"{drawn.shape[0] * drawn.shape[1]} positions: hidden states differ by {apart:.3g}"
    return Check(
        "equal on shared tokens",
        outcome,
        detail + ("" if logits is None else f", logits by {wide:.2g} of the largest"),
    )


def _outputs(model: Any, ids: Any, kept: Any) -> tuple[Any, Any]:
    """Returns the last hidden states, and the logits at ``kept`` ids where there is a head."""
    more = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    found = model(input_ids=ids, output_hidden_states=True, **more)
    states = found.hidden_states if getattr(found, "hidden_states", None) else found.decoder_hidden_states
    logits = getattr(found, "logits", None)
    return states[-1], None if logits is None else logits[..., kept]


def _generates(folder: Path, alignment: Alignment) -> Check:
    import torch

    model, new = load_model(folder), alignment.new
    prompt = (new.encode("The ") or [int(alignment.copied[0])])[-8:]
    with torch.inference_mode(), quietly():
        ids = model.generate(
            torch.tensor([prompt]), max_new_tokens=8, do_sample=False, pad_token_id=new.roles.get("pad", 0)
        )[0].tolist()
    outside = [i for i in ids if i >= len(new)]
    if outside:
        return Check("generation", "warn", f"id {outside[0]} is a padded row: no token has it")
    return Check("generation", "pass", f"{len(ids) - len(prompt)} tokens: {new.decode(ids)!r}")


def _template(folder: Path, alignment: Alignment) -> Check:
    path = folder / "chat_template.jinja"
    if not path.is_file():
        return Check("chat template", "skipped", "there is none")
    from transformers import AutoTokenizer

    messages = [{"role": "user", "content": "Hello"}]
    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)[
                "input_ids"
            ]
            text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    except Exception as error:  # a template may raise anything
        return Check("chat template", "fail", f"it does not render: {error}")
    wanted = [
        i for i, one in alignment.new.added.items() if one in markers(text, alignment.new.added.values())
    ]
    lacking = [alignment.new.added[i] for i in wanted if i not in ids]
    if lacking:
        return Check("chat template", "fail", f"{lacking[0]} is not one id")
    return Check("chat template", "pass", f"{len(ids)} tokens, {len(wanted)} markers, each one id")
