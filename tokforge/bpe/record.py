"""What an artefact records of its training: the options, the data's shares, why it stopped."""

from typing import Any

from tokforge.bpe.config import BpeConfig
from tokforge.bpe.sources import Mixture
from tokforge.inputs import CurationReport
from tokforge.tokenizer import Tokenizer

__all__ = ["ORDER", "record", "tool_version"]

ORDER = "hf"
"""The order of merges, as it stands in the artefact: count descending, then (left id, right id) ascending."""


def record(
    config: BpeConfig,
    mixture: Mixture | None,
    curation: CurationReport | None,
    stopped: str,
    extends: Tokenizer | None,
) -> dict[str, Any]:
    """Returns what an artefact records of its training."""
    from tokforge import _core

    sources = mixture.sources if mixture else ()
    return {
        "tool_version": tool_version(),
        "unicode_version": _core.UNICODE_VERSION,
        "order": ORDER,
        "options": config.as_dict(),
        "source_shares": {source.name: source.share for source in sources},
        "corpus_bytes": sum(source.bytes for source in sources),
        "stopped": stopped,
        **({"curation": curation.as_dict()} if curation and curation.left_out else {}),
        **({"extends": extends.vocab_size} if extends else {}),
    }


def tool_version() -> str:
    """Returns the version of this library."""
    import tokforge

    return tokforge.__version__
