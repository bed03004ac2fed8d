"""A splitter as the one regex that tiktoken and mistral-common take, where it can be one.

They keep the matches alone: text between two matches is dropped, where Hugging Face and tokforge make a
piece of it. A pattern that may leave some is therefore written as `P|(?:(?!P)[\\s\\S])+`, whose second
alternative takes what lies before the next match, and whose matches are the pieces.
"""

import re

from tokforge.errors import ExportError
from tokforge.tokenizer.model import Pipeline
from tokforge.tokenizer.pretokenizers import gapless, stage_patterns

__all__ = ["one_regex"]

WHOLE = r"[\s\S]+"
"""Without a splitter: one piece."""
_GAPLESS = frozenset(
    {"gpt2", "cl100k", "llama3", "qwen2", "o200k", "superbpe-words", "boundless-words", "boundless"}
)
"""Named splitters that match every character of a text; of a pattern of the user's own nobody knows."""
_GROUPS = re.compile(r"\(\?<[A-Za-z_]|\\[1-9k]")


def one_regex(pipeline: Pipeline) -> str:
    """Returns the regex whose matches are the pieces; raises ExportError where one does not do."""
    stages = pipeline.pretokenizers
    patterns = [pattern for stage in stages if isinstance(stage, str) for pattern in stage_patterns(stage)]
    if len(patterns) != len(stages) or len(patterns) > 1:
        raise ExportError(
            "the format has one regex, and this splitter is more than that", "choose tokenizer.json"
        )
    if not stages or stages[0] in _GAPLESS:
        return patterns[0] if patterns else WHOLE
    if _GROUPS.search(patterns[0]):
        raise ExportError(
            "the library drops text between matches, and a regex with references cannot be written so that "
            "there is none",
            "use plain groups `(?:...)` in the splitter, or choose tokenizer.json",
        )
    return gapless(patterns[0])
