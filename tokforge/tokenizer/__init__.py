"""What a tokenizer is: an ordered table of byte strings, merges, a pipeline, and tokens matched whole.

Reading order: `model` (the parts), `pretokenizers` (names and regexes), `tokenizer` (the class),
`files` (the artefact on disk), `formats/` (how other libraries spell all that).
"""

from tokforge.tokenizer.display import printable, read_printable
from tokforge.tokenizer.formats.byte_alphabet import bytes_to_hf, forbidden_tokens, initial_bytes
from tokforge.tokenizer.model import ROLES, AddedToken, BpeModel, Definition, Pipeline, TokenTable
from tokforge.tokenizer.pretokenizers import parse_pretokenizer
from tokforge.tokenizer.tokenizer import Tokenizer
from tokforge.tokenizer.windows import windows

__all__ = [
    "ROLES",
    "AddedToken",
    "BpeModel",
    "Definition",
    "Pipeline",
    "TokenTable",
    "Tokenizer",
    "bytes_to_hf",
    "forbidden_tokens",
    "initial_bytes",
    "parse_pretokenizer",
    "printable",
    "read_printable",
    "windows",
]
