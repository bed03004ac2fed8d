"""The parts of a tokenizer that decide ids. Tokens are bytes here; spellings belong to `formats/`.

Reading order: `table`, `added`, `merges`, `models`, `products`, `pipeline`, `definition`.
"""

from tokforge.tokenizer.model.added import ROLES, AddedToken
from tokforge.tokenizer.model.definition import Definition, lost_bytes, with_roles
from tokforge.tokenizer.model.merges import Merge, MergeList, merge_list
from tokforge.tokenizer.model.models import (
    BpeModel,
    Model,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
)
from tokforge.tokenizer.model.pipeline import PRESERVED, Pipeline
from tokforge.tokenizer.model.products import product_merges
from tokforge.tokenizer.model.table import ORDINARY, Kind, TokenTable, byte_level_kinds, table_of

__all__ = [
    "ORDINARY",
    "PRESERVED",
    "ROLES",
    "AddedToken",
    "BpeModel",
    "Definition",
    "Kind",
    "Merge",
    "MergeList",
    "Model",
    "Pipeline",
    "TokenTable",
    "UnigramModel",
    "WordLevelModel",
    "WordPieceModel",
    "byte_level_kinds",
    "lost_bytes",
    "merge_list",
    "product_merges",
    "table_of",
    "with_roles",
]
