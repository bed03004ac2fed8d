"""The models: what turns one pretoken into ids. Each is data; `core/src/encode/` does the work.

All ids are those of the `TokenTable` beside the model. A model of characters reads text: it starts
from the characters of a pretoken, and what no token covers becomes the tokens of its UTF-8 bytes
(``byte_fallback``), or ``unk_id``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokforge.errors import ConfigError, pick
from tokforge.tokenizer.model.merges import Merge, merge_list

__all__ = ["BpeModel", "Model", "UnigramModel", "WordLevelModel", "WordPieceModel"]


@dataclass(frozen=True, slots=True)
class BpeModel:
    """Byte-pair encoding: the lowest-ranked adjacent pair is merged first, leftmost on a tie.

    ``merges`` stands in rank order; a `MergeList` is made of what is given.
    ``ranks`` gives each merge its rank, ascending, where some are
    equal; None counts them 0, 1, 2... Hugging Face ranks by pair (None). tiktoken and sentencepiece
    rank by product: they merge any two neighbours that join to a token, so every split of a token into
    two tokens is a merge, and all of one product are equal in rank: `product_merges` makes both fields.

    ``atoms`` is what merging starts from. ``bytes``: the 256 byte tokens; a byte without
    one is lost and its neighbours may merge, as in Hugging Face (with ``ranks`` or affixes none may lack).
    ``characters``:
    the tokens of one character. One that is no token becomes its bytes' tokens (``byte_fallback``, and all
    its bytes have a token of kind ``byte``), else ``unk_id``, several in a row only one
    (``fuse_unk``), and is lost where that is None, as in Hugging Face.

    With ``ignore_merges`` a pretoken that is a whole token takes that token's id at once (tiktoken does
    it always; Llama 3 needs it: some of its tokens cannot be reached by merges).

    ``user_defined`` tokens are found first, the longest at each place from the left, and never merge
    (sentencepiece). ``continuing_subword_prefix`` and ``end_of_word_suffix`` are how kinds
    ``continuing`` and ``ending`` are spelled; where one is set, the atoms that follow the first (or
    the last atom) of a pretoken are of that kind.
    """

    merges: Sequence[Merge]
    ignore_merges: bool = False
    ranks: tuple[int, ...] | None = None
    atoms: Literal["bytes", "characters"] = "bytes"
    byte_fallback: bool = False
    unk_id: int | None = None
    fuse_unk: bool = False
    user_defined: tuple[int, ...] = ()
    continuing_subword_prefix: str = ""
    end_of_word_suffix: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "merges", merge_list(self.merges))
        pick("the atoms of BPE", self.atoms, dict.fromkeys(("bytes", "characters")))
        if self.atoms == "bytes" and (self.byte_fallback or self.unk_id is not None or self.user_defined):
            raise ConfigError(
                "a model of bytes knows no byte_fallback, unk_id or user_defined", "use atoms='characters'"
            )

    @property
    def is_byte_level(self) -> bool:
        """Whether it is plain byte-level BPE ranked by pair: what `train-bpe` makes and GPT-2 is."""
        spelled = self.continuing_subword_prefix or self.end_of_word_suffix
        return self.atoms == "bytes" and not self.ranks_by_product and not spelled

    @property
    def ranks_by_product(self) -> bool:
        """Whether any two neighbours that join to a token merge: tiktoken, sentencepiece."""
        return self.ranks is not None


@dataclass(frozen=True, slots=True)
class UnigramModel:
    """Unigram: of all ways to cut a pretoken into tokens, the one whose scores add up to the most.

    ``scores``: (vocab_size,) log probabilities by id; None for an id that takes no part. A Hugging Face
    file gives every entry of its vocabulary a score, control tokens included, so there the *model*
    turns their text into them; sentencepiece's control pieces have None.

    Viterbi runs over the characters from the left; a cut replaces another to the same place only if it
    scores strictly more, and shorter tokens are tried first. A character that is no token of its own
    may be cut at ``unk_score``. ``arithmetic`` is the precision of the sums: Hugging Face's is float64,
    sentencepiece's float32, and near ties fall differently. Unknown characters in a row become one
    (``fuse_unk``, sentencepiece and Hugging Face alike), then their bytes' tokens (``byte_fallback``),
    else ``unk_id``. A ``user_defined`` token beats every other reading (sentencepiece).
    """

    scores: tuple[float | None, ...]
    unk_score: float
    unk_id: int | None
    byte_fallback: bool = False
    arithmetic: Literal["float64", "float32"] = "float64"
    fuse_unk: bool = True
    user_defined: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        pick("the arithmetic of Unigram", self.arithmetic, dict.fromkeys(("float64", "float32")))


@dataclass(frozen=True, slots=True)
class WordPieceModel:
    """WordPiece: the longest token from the left, then the longest ``continuing`` one, to the end.

    A pretoken that cannot be covered so, or that has more than ``max_input_chars_per_word`` characters,
    is ``unk_id`` as a whole. ``continuing_subword_prefix`` is how kind ``continuing`` is spelled.
    ``special_ids`` are the added tokens that the model itself makes of their text, since Hugging Face's
    vocabulary holds them; a pre-tokenizer that isolates punctuation never lets it.
    """

    unk_id: int
    max_input_chars_per_word: int = 100
    continuing_subword_prefix: str = "##"
    special_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WordLevelModel:
    """A pretoken is one token, or ``unk_id``. ``special_ids``: as in `WordPieceModel`."""

    unk_id: int
    special_ids: tuple[int, ...] = ()


Model: TypeAlias = BpeModel | UnigramModel | WordPieceModel | WordLevelModel
