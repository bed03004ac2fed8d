"""What a larger vocabulary gives and costs, as PNG, SVG or PDF."""

from pathlib import Path
from typing import Any

from tokforge.advice.advising import MIN_FREQUENCY, Advice
from tokforge.outputs import write_files
from tokforge.report.figures import check_plot, drawn

__all__ = ["save_chart"]


def save_chart(advice: Advice, path: str | Path, *, force: bool = False) -> None:
    """Draws bytes per token and FLOPs per byte against the size; raises as `check_plot`."""
    check_plot(path)
    content = drawn(lambda axes: _curves(advice, axes), Path(path).suffix.lower()[1:], (6, 4))
    write_files({path: content}, force=force)


def _curves(advice: Advice, axes: Any) -> None:
    sizes = [one.vocab_size for one in advice.sizes]
    axes.semilogx(sizes, [one.bytes_per_token for one in advice.sizes], "o-", label="bytes per token", base=2)
    axes.set_ylabel("bytes per token, held out")
    axes.set_xlabel("vocabulary size")
    costs = axes.twinx()
    costs.semilogx(sizes, [one.flops_per_byte for one in advice.sizes], "s--", color="C1", base=2)
    costs.set_ylabel("FLOPs of a forward pass per byte")
    for one in (axes, costs):  # behind both curves, for each sets the ticks anew
        one.set_xticks(sizes[::2], [f"{size:,}" for size in sizes[::2]], rotation=30)
        one.minorticks_off()
    low, high = advice.recommended
    axes.axvspan(low, max(high, low * 1.02), alpha=0.2, color="C2", label="recommended")
    axes.axvline(
        advice.largest_learnable, color="C3", linestyle=":", label=f"last seen {MIN_FREQUENCY} times or more"
    )
    axes.plot([], [], "s--", color="C1", label="FLOPs per byte")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2)
