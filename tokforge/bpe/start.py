"""What training begins from: bytes and special tokens, or a tokenizer that is extended.

Extending keeps every id, merge, special token and the pipeline; new merges rank after all old ones and
new ids follow the table, so ids of text in which no new token occurs stay as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokforge.bpe.config import BpeConfig
from tokforge.errors import ConfigError
from tokforge.tokenizer import AddedToken, BpeModel, Pipeline, Tokenizer, initial_bytes
from tokforge.tokenizer.model import Merge

__all__ = ["Start"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The table, the merges and what stands around them before the first new merge."""

    tokens: tuple[bytes | None, ...]
    """By id; None where the id is special or unused."""
    merges: Sequence[Merge]
    added_tokens: tuple[AddedToken, ...]
    pipeline: Pipeline
    extends: Tokenizer | None = None

    @classmethod
    def fresh(cls, config: BpeConfig, stages: Sequence[str]) -> "Start":
        """Special tokens in the order given, then the 256 bytes."""
        specials = [AddedToken(id=at, text=text) for at, text in enumerate(config.special_tokens)]
        return cls(
            tokens=(*[None] * len(specials), *initial_bytes()),
            merges=(),
            added_tokens=tuple(specials),
            pipeline=Pipeline(kind="text" if stages else "binary", pretokenizers=tuple(stages)),
        )

    @classmethod
    def extending(cls, tokenizer: Tokenizer, config: BpeConfig) -> "Start":
        """Everything of ``tokenizer``; raises ConfigError for options that would change it."""
        _require_extensible(tokenizer)
        set_here = {
            "pretokenizer": config.pretokenizer,
            "special_tokens": config.special_tokens,
            "family": config.family,
        }
        for name, value in set_here.items():
            if value:
                raise ConfigError(f"{name} is set, and the tokenizer to extend has its own", "leave it out")
        if config.vocab_size is None or config.table_size <= tokenizer.vocab_size:
            size = "not set" if config.vocab_size is None else config.table_size
            raise ConfigError(
                f"vocab_size is {size}, and the tokenizer to extend has {tokenizer.vocab_size} ids",
                "give the size after extending",
            )
        return cls(
            tokens=tuple(tokenizer.table.ordinary()),
            merges=tuple(tokenizer.merges),
            added_tokens=tokenizer.added_tokens,
            pipeline=tokenizer.pipeline,
            extends=tokenizer,
        )

    @property
    def texts(self) -> list[str]:
        """The texts of the added tokens."""
        return [token.text for token in self.added_tokens]

    @property
    def byte_ids(self) -> list[int]:
        """The id of each byte."""
        places = {token: at for at, token in enumerate(self.tokens) if token is not None and len(token) == 1}
        return [places[bytes((byte,))] for byte in range(256)]


def _require_extensible(tokenizer: Tokenizer) -> None:
    """Raises ConfigError unless merges can be appended to the tokenizer's."""
    model = tokenizer.definition.model
    hint = "add tokens by `tokforge edit add --plain`; all models but BPE take --vocabulary, too"
    if isinstance(model, BpeModel):
        spelled = model.continuing_subword_prefix or model.end_of_word_suffix
        if not (spelled or model.ranks_by_product or (model.atoms == "characters" and model.ignore_merges)):
            return
        if model.ranks_by_product:
            hint = "convert it to tokenizer.json first"
    raise ConfigError("only BPE ranked by pair, of bytes or of characters, can be extended", hint)
