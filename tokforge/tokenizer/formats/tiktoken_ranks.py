"""tiktoken ranks: one ``base64 rank`` a line; the rank is the id, and the order in which pairs merge.

The file holds neither the regex nor the special tokens. OpenAI's four files are known by their hash; for
any other the user names the splitter. Holes in the ranks are ids without a token; a rank or a token that
stands twice is refused (tiktoken takes the last in silence), and so is base64 that is not canonical.
Merging: the adjacent pair whose joined bytes have the lowest rank goes first, and a pretoken that is a
whole token is that token at once. Linear. Source: openai/tiktoken, tiktoken/load.py and openai_public.py.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import NamedTuple

from tokforge.errors import ExportError, FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.one_regex import one_regex
from tokforge.tokenizer.formats.ranks import dense_table, ranked_definition, ranks_of
from tokforge.tokenizer.formats.reading import Reading, SourceFile, special_tokens, splitter_stages
from tokforge.tokenizer.model import AddedToken, Definition, Pipeline
from tokforge.tokenizer.pretokenizers import PATTERNS

__all__ = [
    "KNOWN",
    "KnownRanks",
    "looks_like",
    "pattern_of",
    "read_ranks",
    "read_tiktoken",
    "write_tiktoken",
]

_HINT = "a line of ranks is base64, a space and a number"
_SNIFFED = 4096


class KnownRanks(NamedTuple):
    """What a known file of ranks leaves out; ``pattern`` is tiktoken's own text of the splitter."""

    name: str
    pretokenizer: str
    pattern: str
    specials: tuple[tuple[str, int], ...]


_END = ("<|endoftext|>", 50256)
_R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
KNOWN = {
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": KnownRanks(
        "r50k_base", "gpt2", _R50K, (_END,)
    ),
    "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069": KnownRanks(
        "p50k_base", "gpt2", _R50K, (_END,)
    ),
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": KnownRanks(
        "cl100k_base",
        "cl100k",
        _CL100K,
        (
            ("<|endoftext|>", 100257),
            ("<|fim_prefix|>", 100258),
            ("<|fim_middle|>", 100259),
            ("<|fim_suffix|>", 100260),
            ("<|endofprompt|>", 100276),
        ),
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": KnownRanks(
        "o200k_base", "o200k", PATTERNS["o200k"][0], (("<|endoftext|>", 199999), ("<|endofprompt|>", 200018))
    ),
}
"""sha256 of the file -> what it is."""


def looks_like(data: bytes) -> bool:
    """Tells whether the first lines are ``base64 rank``."""
    lines = data[:_SNIFFED].splitlines()
    lines = lines[:-1] if len(data) > _SNIFFED else lines
    return bool(lines) and all(_split(line) is not None for line in lines if line)


def pattern_of(data: bytes, pipeline: Pipeline) -> str:
    """Returns the ``pat_str`` that tiktoken needs for a file of ranks: its own where the file is known by
    its hash, else that of the splitter. Raises ExportError where that is more than one regex."""
    known = KNOWN.get(sha256(data).hexdigest())
    return known.pattern if known else one_regex(pipeline)


def read_tiktoken(file: SourceFile) -> Reading:
    """Reads a file of ranks; raises FormatError with the line, ConfigError without a splitter."""
    tokens = dense_table(read_ranks(file.data, file.where), file.where)
    known = KNOWN.get(sha256(file.data).hexdigest())
    stages = splitter_stages(file, known.pretokenizer if known else None)
    notes = []
    added = special_tokens(file.options, len(tokens))
    if known:
        notes.append(f"the ranks are those of {known.name}: its splitter is known by the file's hash")
    if known and not added:
        added = [AddedToken(token_id, text) for text, token_id in known.specials]
        notes.append(f"the special tokens of {known.name} are added: the file holds none")
    elif not added:
        notes.append("no special tokens: the file holds none, and none were given")
    return Reading(ranked_definition(tokens, stages, added, file.where), tuple(notes))


def read_ranks(data: bytes, where: str) -> dict[bytes, int]:
    """Returns token -> rank; raises FormatError with the line of a malformed or repeated one."""
    ranks: dict[bytes, int] = {}
    owners: dict[int, int] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if not line:
            continue
        place = f"{where}: line {number}"
        parts = _split(line)
        if parts is None:
            raise FormatError(f"{quoted(line)} is no rank", _HINT, place)
        token, rank = parts
        if not token:
            raise FormatError("the token is empty", _HINT, place)
        if token in ranks:
            raise FormatError(f"the token {quoted(token)} stands twice", "keep one of the two", place)
        if rank in owners:
            raise FormatError(f"rank {rank} is that of line {owners[rank]} already", "number anew", place)
        ranks[token], owners[rank] = rank, number
    if not ranks:
        raise FormatError("it holds no ranks", _HINT, where)
    return ranks


def _split(line: bytes) -> tuple[bytes, int] | None:
    encoded, _, digits = line.strip(b"\r").partition(b" ")
    if not digits.isdigit() or len(digits) > 10:
        return None
    try:
        token = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        return None
    return (token, int(digits)) if b64encode(token) == encoded else None


def write_tiktoken(definition: Definition) -> bytes:
    """Returns the file of ranks; raises ExportError where ranks alone would give other ids."""
    ranks = ranks_of(definition)
    if definition.pipeline.normalizers:
        raise ExportError(
            "tiktoken does not normalise text", "choose a format that does, such as tokenizer.json"
        )
    return b"".join(b"%s %d\n" % (b64encode(token), rank) for token, rank in ranks)
