"""Adds tokens at the end of the ids: matched whole in text, or produced by the model.

A vocabulary token of byte-level BPE must be reached by merges. Its bytes are encoded as they are now;
the pieces are then joined, each pair by a merge appended after all others, so older merges keep their
ranks: first pairs that join to a token, then from the left. What is no token yet becomes one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tokforge.errors import ConfigError, pick
from tokforge.tokenizer._engine import make_encoder, make_splitter
from tokforge.tokenizer._reference import Ranks, merge_piece
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.display import printable, quoted
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited, edited, moved
from tokforge.tokenizer.formats.byte_alphabet import forbidden_tokens, unspell
from tokforge.tokenizer.model import (
    ORDINARY,
    ROLES,
    AddedToken,
    BpeModel,
    Definition,
    Kind,
    Merge,
    Model,
    TokenTable,
    UnigramModel,
)
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["add", "add_tokens", "add_vocabulary", "check_new_text"]


def add(
    tokenizer: Tokenizer,
    *,
    vocabulary: Sequence[bytes] = (),
    scores: Sequence[float] = (),
    plain: Sequence[str] = (),
    special: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
) -> Edited:
    """Returns the tokenizer with all of these, ids in this order; see `add_vocabulary` and `add_tokens`."""
    if not (vocabulary or plain or special or roles):
        raise ConfigError("there is nothing to add", "name a token")
    result = Edited(tokenizer, IdMap.identity(tokenizer.vocab_size))
    if vocabulary:
        result = add_vocabulary(tokenizer, vocabulary, scores=scores)
    for texts, is_special, given in ((plain, False, None), (special, True, roles)):
        if texts or given:
            after = add_tokens(result.tokenizer, texts, special=is_special, roles=given)
            result = Edited(after.tokenizer, result.id_map.then(after.id_map))
    return result


def add_tokens(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    special: bool = True,
    roles: Mapping[str, str] | None = None,
    lstrip: bool = False,
    rstrip: bool = False,
    normalized: bool = False,
    single_word: bool = False,
) -> Edited:
    """Returns the tokenizer with ``texts`` as added tokens, matched whole in text, with ids at the end.

    Args:
        texts: each a new text. A plain one (``special`` false) that is an ordinary token keeps its id.
        special: control tokens; text never becomes one unless the caller of `encode` allows it.
        roles: role -> text of a new or old added token; it takes the role from another.
        lstrip: a flag of `AddedToken`, as the next three.
        rstrip: likewise.
        normalized: likewise.
        single_word: likewise.

    Raises:
        ConfigError: a text is empty, given twice or a token already, or a role is unknown.
    """
    if isinstance(texts, str) or not (texts or roles):
        raise ConfigError("there is nothing to add", "give the texts of the new tokens, in a list")
    definition = tokenizer.definition
    ordinary = {} if special else _ids_by_text(definition.table)
    fresh = _fresh_texts(definition, texts, ordinary)
    size = tokenizer.vocab_size
    ids = {text: size + number for number, text in enumerate(fresh)} | {
        text: ordinary[text] for text in texts if text in ordinary
    }
    flags = AddedToken(0, "flags", (), special, lstrip, rstrip, normalized, single_word)
    new = [replace(flags, id=ids[text], text=text) for text in texts]
    added = [*definition.added_tokens, *new]
    id_map = IdMap.identity(size, size + len(fresh))
    parts = moved(definition, id_map)
    kind: Kind = "special" if special else "added"
    table = _filled(parts.table, [(text.encode(), kind) for text in fresh], size)
    grown = replace(parts, table=table, added_tokens=tuple(_with_roles(added, roles or {})))
    return edited(tokenizer, grown, id_map, {"operation": "add", "texts": len(fresh), "special": special})


def check_new_text(definition: Definition, text: str) -> None:
    """Raises ConfigError for an added token's text that some token has, or is spelled like, already."""
    if not text:
        raise ConfigError("an added token is empty", "give it a text")
    if any(token.text == text for token in definition.added_tokens):
        raise ConfigError(f"{quoted(text)} is an added token already", "choose another text")
    forbidden_tokens([text])
    spelled = {text.encode("utf-8", "surrogatepass"), unspell(text)}
    for token_id, token in enumerate(definition.table.ordinary()):
        if token in spelled and token is not None:
            raise ConfigError(
                f"{quoted(text)} is, or is spelled like, the ordinary token {token_id}",
                "choose another text, or remove that token first",
            )


def add_vocabulary(
    tokenizer: Tokenizer, tokens: Sequence[bytes], *, scores: Sequence[float] = (), kind: Kind = "normal"
) -> Edited:
    """Returns the tokenizer whose model may produce ``tokens``, with ids at the end, in order.

    Byte-level BPE gets merges that come after all others; intermediate tokens that they need get the
    ids in front of their token. Unigram needs ``scores``, one a token (log probabilities). WordPiece
    and WordLevel take the token alone; ``kind`` is ``normal``, or ``continuing`` within a word.

    Raises:
        ConfigError: a token is there already, can never be produced since the splitter cuts it, or the
            model is of a kind whose merges cannot be appended to.
    """
    _check_vocabulary(tokenizer, tokens, kind)
    definition, size = tokenizer.definition, tokenizer.vocab_size
    model = definition.model
    if isinstance(model, BpeModel):
        grower = _Grower.of(tokenizer)
        for token in tokens:
            grower.grow(token)
        grown_model: Model = replace(model, merges=tuple(grower.merges))
        fresh = [(token or b"", kind) for token in grower.tokens[size:]]
    else:
        grown_model = _with_scores(model, tokens, scores)
        fresh = [(token, kind) for token in tokens]
    id_map = IdMap.identity(size, size + len(fresh))
    grown = replace(definition, table=_filled(definition.table, fresh, size), model=grown_model)
    step = {"operation": "add", "vocabulary": len(fresh)}
    result = edited(tokenizer, grown, id_map, step)
    _check_reached(result.tokenizer, tokens)
    return result


@dataclass
class _Grower:
    """Appends merges until a token is reached; holds the growing tables."""

    tokens: list[bytes | None]
    merges: list[Merge]
    byte_ids: list[int]
    ids: dict[bytes, int]
    ranks: Ranks

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "_Grower":
        model = tokenizer.definition.model
        if not isinstance(model, BpeModel) or not model.is_byte_level:
            ranked = isinstance(model, BpeModel) and model.ranks_by_product
            raise ConfigError(
                "merges can be appended to byte-level BPE ranked by pair only",
                "convert it to tokenizer.json first"
                if ranked
                else "add the text as an added token (--plain, `add_tokens`)",
            )
        tokens = tokenizer.table.ordinary()
        ids = {token: token_id for token_id, token in enumerate(tokens) if token is not None}
        ranks = {(left, right): (rank, to) for rank, (left, right, to) in enumerate(model.merges)}
        return cls(tokens, list(model.merges), tokenizer.table.every_byte_id(), ids, ranks)

    def grow(self, token: bytes) -> None:
        pieces = merge_piece([self.byte_ids[byte] for byte in token], self.ranks)
        while len(pieces) > 1:
            # A pair that joins to a token costs no new id; else from the left.
            pairs = list(pairwise(pieces))
            self._merge(*next((pair for pair in pairs if self._joined(*pair) in self.ids), pairs[0]))
            pieces = merge_piece([self.byte_ids[byte] for byte in token], self.ranks)

    def _joined(self, left: int, right: int) -> bytes:
        return (self.tokens[left] or b"") + (self.tokens[right] or b"")

    def _merge(self, left: int, right: int) -> None:
        product = self._joined(left, right)
        merged = self.ids.setdefault(product, len(self.tokens))
        if merged == len(self.tokens):
            self.tokens.append(product)
        self.ranks[left, right] = (len(self.merges), merged)
        self.merges.append((left, right, merged))


def _check_vocabulary(tokenizer: Tokenizer, tokens: Sequence[bytes], kind: Kind) -> None:
    pick("the kind of a new token", kind, dict.fromkeys(("continuing", "ending", "normal")))
    table, splitter = tokenizer.table, make_splitter(tokenizer.pipeline)
    known = {(token, kind) for token, kind in zip(table.tokens, table.kinds, strict=True) if kind in ORDINARY}
    texts = [token.text for token in tokenizer.added_tokens]
    added = {*(text.encode() for text in texts), *map(unspell, texts)}
    if not tokens:
        raise ConfigError("there is nothing to add", "give the new tokens, in a list")
    for number, token in enumerate(tokens):
        shown = f"'{printable(token)}'"
        if not token or token in tokens[:number]:
            raise ConfigError(f"the token {shown} is empty or given twice", "give each new token once")
        if (token, kind) in known:
            raise ConfigError(f"the token {shown} is there already", "leave it out")
        if token in added:
            raise ConfigError(f"{shown} is, or is spelled like, an added token", "give it one use")
        if splitter is not None and len(pieces := splitter.split(token)) > 1:
            cut = "|".join(printable(token[start:end]) for start, end in pieces)
            raise ConfigError(
                f"the splitter cuts {shown} into {cut}, so it would never be produced",
                "add it as an added token instead",
            )


def _check_reached(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> None:
    if not isinstance(tokenizer.definition.model, BpeModel):
        return
    unsplit = make_encoder(tokenizer.definition, split=False)
    for token in tokens:
        ids, _ = encode_documents(unsplit, [token], 1)
        if ids.tolist() != [tokenizer.id_of(token)]:
            raise ConfigError(f"'{printable(token)}' cannot be reached by merges", "leave it out")


def _with_scores(model: Model, tokens: Sequence[bytes], scores: Sequence[float]) -> Model:
    if not isinstance(model, UnigramModel):
        return model
    if len(scores) != len(tokens):
        raise ConfigError(f"{len(scores)} scores for {len(tokens)} tokens", "Unigram needs one a token")
    return replace(model, scores=(*model.scores, *map(float, scores)))


def _filled(table: TokenTable, entries: Sequence[tuple[bytes, Kind]], start: int) -> TokenTable:
    tokens = (*table.tokens[:start], *(token for token, _ in entries))
    return TokenTable(tokens, (*table.kinds[:start], *(kind for _, kind in entries)))


def _ids_by_text(table: TokenTable) -> dict[str, int]:
    found: dict[str, int] = {}
    for token_id, (token, kind) in enumerate(zip(table.tokens, table.kinds, strict=True)):
        if kind == "normal":
            found[token.decode("utf-8", "surrogateescape")] = token_id
    return found


def _fresh_texts(definition: Definition, texts: Sequence[str], ordinary: Mapping[str, int]) -> list[str]:
    for number, text in enumerate(texts):
        if text in texts[:number]:
            raise ConfigError(f"{quoted(text)} is given twice", "give each text once")
        if text not in ordinary:
            check_new_text(definition, text)
    return [text for text in texts if text not in ordinary]


def _with_roles(added: Iterable[AddedToken], roles: Mapping[str, str]) -> list[AddedToken]:
    tokens = list(added)
    for role, text in roles.items():
        pick("the roles", role, dict.fromkeys(ROLES))
        pick(f"the role {role} of the added tokens", text, {token.text: None for token in tokens})
    return [
        replace(
            token,
            roles=(
                *(role for role in token.roles if role not in roles),
                *(role for role, text in roles.items() if text == token.text),
            ),
        )
        for token in tokens
    ]
