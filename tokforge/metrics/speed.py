"""How fast the tokenizer encodes here and now."""

from tokforge.metrics.compression import ratio
from tokforge.metrics.registry import Metric
from tokforge.metrics.tally import Tally

__all__ = ["METRICS"]


def _encode_rate(tally: Tally) -> float | None:
    return ratio(tally.bytes / 1e6, tally.seconds) if tally.bytes else None


METRICS = (
    Metric(
        name="encode_megabytes_per_second",
        title="Encoding speed",
        unit="MB/s",
        direction="higher",
        definition="Bytes encoded in a second of wall time, on all threads of this run, loading aside.",
        formula="B / seconds / 10^6",
        source="measured by this run in tokforge's own engine",
        function=_encode_rate,
        caveat="Differs from run to run and machine to machine; says nothing about other libraries.",
        decimals=1,
    ),
)
