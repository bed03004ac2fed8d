"""Proof of an export: Hugging Face loads the file and gives the same ids, or the export is refused.

Equal ids means: special tokens treated as text, none added. The probes are fixed texts (Unicode
categories, white space, digits, code, special tokens spelled as text), every byte for a binary
vocabulary, and the vocabulary's own tokens, which reach the merges. Pretokens are compared as well as ids.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokforge.errors import ExportError
from tokforge.tokenizer._engine import stage_specs
from tokforge.tokenizer.display import printable
from tokforge.tokenizer.formats.byte_alphabet import bytes_to_hf, initial_bytes, unspell
from tokforge.tokenizer.formats.hf_vocabulary import is_byte_level, spelled_vocabulary
from tokforge.tokenizer.model import Pipeline

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["probes", "prove_export", "prove_pipeline", "prove_texts"]

_HINT = "report this tokenizer: tokforge and Hugging Face must agree"
_REGEX_HINT = "use a named pre-tokenizer, or a regex that Hugging Face's engine reads alike"
_SAMPLED_TOKENS = 2000
_TOKENS_A_PROBE = 8
_SHOWN_TOKENS = 6

# One character or cluster per way in which splitters differ: categories, marks, case folds, spaces.
_CLUSTERS = (
    *"aZéÉ\u017f\u212aßǅʰªﬁ中あア가กำ1²½Ⅷ\u24b6٣_\u203f-()«»“”'’.!…¿。،$€+<=>~^`¨©°/😀",
    *"\u093f\u05b0\u0308\u20dd\u0903\0\t\n\v\f\r\x1c\x7f\x85\xa0\xad\u200b\u200c\u200d\u2028\u2029\u202f\u3000",
    *"\ue000\ufeff\ufffd\U0010ffff",
    "👩\u200d👩\u200d👧",
    "🇩🇪",
    "1\ufe0f\u20e3",
)
_TEXTS = (
    "",
    "Hello, world! It's DON'T we'LL they'Re I'ſ o'clock 'tis ''s",
    "1 12 123 1234 12345 1234567 3.14159 1,000,000 0x1F 1e-9 ²³½ ٣٤٥",
    " a  b   c    d\te\t\tf\t g \t h",
    "line\nline\r\nline\r\n\r\nline\n\n\n  indented\n\t\ttabbed\n   \n",
    "trailing spaces   ",
    "trailing break \r  ",
    "trailing breaks \n\n",
    "   leading and \u00a0\u3000wide\u2003 spaces\u00a0",
    "def f(x):\n    return {'a': [x**2, -1]}  # comment\n\n\nclass A_b(C.D):\n\tpass\n",
    'int main(void) { for (int i=0;i<10;++i) printf("%d\\n", a->b[i]); /* ok */ return 0; }\r\n',
    "https://example.org/a/b?c=d&e=%20f#g XMLHttpRequest camelCaseWord snake_case SHOUT iPhone",
    "Füße École naïve e\u0301 İstanbul Ελληνικά русский עברית العربية हिन्दी ไทย"
    " 中文English混合 日本語テキスト 한국어",
)


def prove_export(tokenizer: "Tokenizer", path: Path) -> None:
    """Loads ``path`` with Hugging Face's tokenizers and compares vocabulary, ids and special tokens.

    Raises ExportError with the first text on which the two differ, and both segmentations.
    """
    hf = _load(path, tokenizer)
    _compare_vocabulary(tokenizer, hf)
    _compare_splits(tokenizer, hf)
    hf.encode_special_tokens = True
    for probe in probes(tokenizer):
        fed = bytes_to_hf(probe) if tokenizer.kind == "binary" else probe.decode()
        _compare(
            tokenizer, probe, hf.encode(fed, add_special_tokens=False).ids, tokenizer.encode(probe).tolist()
        )
    hf.encode_special_tokens = False
    for token in tokenizer.added_tokens:
        ours = tokenizer.encode(token.text, allowed_special="all").tolist()
        _compare(tokenizer, token.text.encode(), hf.encode(token.text, add_special_tokens=False).ids, ours)


def prove_texts(tokenizer: "Tokenizer", texts: Sequence[str]) -> int:
    """Compares ids on ``texts``, as `prove_export` does on its probes; returns the number of tokens.

    Raises ExportError with the first difference.
    """
    from tokenizers import Tokenizer as HfTokenizer

    from tokforge.tokenizer.formats.hf_json import write_definition

    content = write_definition(tokenizer.definition).decode()
    hf = _guarded(lambda: HfTokenizer.from_str(content), "load the export", tokenizer)
    hf.encode_special_tokens = True
    tokens = 0
    for text in texts:
        ours = tokenizer.encode(text).tolist()
        _compare(tokenizer, text.encode(), hf.encode(text, add_special_tokens=False).ids, ours)
        tokens += len(ours)
    return tokens


def prove_pipeline(pipeline: Pipeline) -> None:
    """Compares pretokens before anything is trained: a regex may mean something else to Hugging Face.

    Raises ExportError as `prove_export` does.
    """
    from tokenizers import Tokenizer as HfTokenizer

    from tokforge.tokenizer.formats.hf_json import write_definition
    from tokforge.tokenizer.tokenizer import Tokenizer

    bare = Tokenizer.from_parts(initial_bytes(), (), pipeline=pipeline)
    content = write_definition(bare.definition).decode()
    _compare_splits(bare, _guarded(lambda: HfTokenizer.from_str(content), "load the export", bare))


def probes(tokenizer: "Tokenizer") -> list[bytes]:
    """Returns the texts to compare on; a binary vocabulary gets all bytes besides."""
    texts = [*_TEXTS, *(token.text for token in tokenizer.added_tokens)]
    texts += [f"{cluster}a{cluster} {cluster}1 {cluster}{cluster}\n{cluster}" for cluster in _CLUSTERS]
    texts += [f"<{token.text}> {token.text}" for token in tokenizer.added_tokens]
    found = [text.encode() for text in texts]
    if tokenizer.kind == "binary":
        found += [bytes(range(start, start + 64)) for start in range(0, 256, 64)] + [bytes(100), b"\xff" * 33]
    return found + _own_tokens(tokenizer)


def _own_tokens(tokenizer: "Tokenizer") -> list[bytes]:
    """Returns an even sample of the vocabulary, a few tokens a probe; for text those that are UTF-8."""
    tokens = [token for token in tokenizer.table.ordinary() if token is not None]
    sample = tokens[:: max(1, len(tokens) // _SAMPLED_TOKENS)]
    if tokenizer.kind == "text":
        sample = [token for token in sample if _is_utf8(token)]
    starts = range(0, len(sample), _TOKENS_A_PROBE)
    return [b"".join(sample[start : start + _TOKENS_A_PROBE]) for start in starts]


def _is_utf8(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


def _load(path: Path, tokenizer: "Tokenizer") -> Any:
    from tokenizers import Tokenizer as HfTokenizer

    hf = _guarded(lambda: HfTokenizer.from_file(str(path)), "load the export", tokenizer)
    hf.no_padding()
    hf.no_truncation()
    return hf


def _guarded(call: Callable[[], Any], what: str, tokenizer: "Tokenizer") -> Any:
    try:
        return call()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in its Rust is no Exception
        raise ExportError(f"Hugging Face cannot {what}: {error}", _hint(tokenizer)) from error


def _hint(tokenizer: "Tokenizer") -> str:
    """A difference over a user's own regex is no fault of either library."""
    own = any(stage.startswith("regex:") for stage in tokenizer.pipeline.splitter_names())
    return _REGEX_HINT if own else _HINT


def _compare_vocabulary(tokenizer: "Tokenizer", hf: Any) -> None:
    ours = spelled_vocabulary(tokenizer.definition)
    ours |= {token.text: token.id for token in tokenizer.added_tokens}
    theirs = hf.get_vocab(with_added_tokens=True)
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            raise ExportError(
                f"Hugging Face gives token {key!r} the id {theirs.get(key)}, tokforge {ours.get(key)}", _HINT
            )


def _compare_splits(tokenizer: "Tokenizer", hf: Any) -> None:
    """Compares pretokens, too: with few merges, two ways of splitting may happen to give the same ids."""
    from tokforge._core import cut_pieces

    if hf.pre_tokenizer is None:
        return
    spelled = is_byte_level(tokenizer.definition)
    specs = stage_specs(tokenizer.pipeline.pretokenizers)
    for probe in probes(tokenizer):
        ours = cut_pieces(specs, probe, True)
        cut = partial(hf.pre_tokenizer.pre_tokenize_str, probe.decode())
        pieces = [piece for piece, _ in _guarded(cut, f"cut {printable(probe)!r}", tokenizer)]
        theirs = [unspell(piece) if spelled else piece.encode() for piece in pieces]
        if ours != theirs:
            raise ExportError(
                f"Hugging Face cuts {printable(probe)!r} into {_pieces(theirs)}, tokforge {_pieces(ours)}",
                _hint(tokenizer),
            )


def _pieces(pieces: Sequence[bytes | None]) -> str:
    return "|".join(printable(piece or b"?") for piece in pieces)


def _compare(tokenizer: "Tokenizer", probe: bytes, theirs: Sequence[int], ours: Sequence[int]) -> None:
    if list(theirs) == list(ours):
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours))
    )
    raise ExportError(
        f"Hugging Face reads {printable(probe)!r} as {_segmentation(tokenizer, theirs, at)}, "
        f"tokforge as {_segmentation(tokenizer, ours, at)}, from token {at} on",
        _HINT,
    )


def _segmentation(tokenizer: "Tokenizer", ids: Sequence[int], at: int) -> str:
    shown = ids[max(0, at - 1) : at + _SHOWN_TOKENS]
    tokens = dict(enumerate(tokenizer.table.tokens))
    return _pieces([tokens.get(token_id) for token_id in shown])
