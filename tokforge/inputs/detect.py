"""Guesses whether bytes are text, code or binary, for ``--preset auto``. A guess, so it states its reason.

Binary: an executable's magic, a UTF-16 or UTF-32 mark, NUL or other control bytes, or much that is not
UTF-8. Code: an extension that says so and content that does not object, or the share of brackets and
operators with the share of lines that are indented or end as statements do. All else is text.
Complexity: linear in the sample; 64 KiB of a file are plenty.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal, NamedTuple, TypeAlias

from tokforge.errors import ConfigError
from tokforge.inputs.reading import peek
from tokforge.inputs.source import Source

__all__ = ["Detection", "Kind", "detect_kind", "detect_sources", "is_utf8_text"]

Kind: TypeAlias = Literal["text", "code", "binary"]

_MAGICS = (
    (b"\x7fELF", "ELF"),
    (b"\xfe\xed\xfa\xce", "Mach-O"),
    (b"\xfe\xed\xfa\xcf", "Mach-O"),
    (b"\xce\xfa\xed\xfe", "Mach-O"),
    (b"\xcf\xfa\xed\xfe", "Mach-O"),
    (b"\xca\xfe\xba\xbe", "Mach-O fat or Java class"),
    (b"\xca\xfe\xba\xbf", "Mach-O fat"),
    (b"\x00asm", "WebAssembly"),
    (b"dex\n", "DEX"),
    (b"!<arch>\n", "ar archive"),
)
_WIDE_MARKS = ((b"\xff\xfe", "UTF-16 or UTF-32"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32"))

_CODE_NAMES = """asm bash c cc clj cmake cpp cs css cu cxx dart el erl ex f90 fs glsl go gradle groovy
    h hpp hs hxx java jl js jsx kt lisp lua m ml mm nim pas php pl pm proto ps1 py pyi pyx r rb rs s scala
    scm scss sh sol sql swift tcl ts tsx v vhd vue zig zsh"""
_CODE_SUFFIXES = frozenset("." + name for name in _CODE_NAMES.split())
_PROSE_SUFFIXES = frozenset((".txt", ".md", ".rst", ".adoc", ".org", ".po", ".srt", ".tex", ".csv", ".tsv"))

_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\f\r\x1b") + b"\x7f"
_OPERATORS = b"{}()[];=<>_+*/&|#$\\:"
_LINE_ENDS = (b";", b"{", b"}", b"(", b")", b"[", b"]", b"):", b">", b"},", b"),", b"],")

MAX_CONTROL_SHARE = 0.01
MAX_INVALID_SHARE = 0.10
MIN_OPERATOR_SHARE = 0.06
MIN_STATEMENT_SHARE = 0.30


class Detection(NamedTuple):
    """What bytes seem to be, and why in one line."""

    kind: Kind
    reason: str


def detect_kind(sample: bytes, path: str = "") -> Detection:
    """Judges the beginning of a file; ``path`` lends its extension as a hint between text and code."""
    for magic, name in _MAGICS:
        if sample.startswith(magic):
            return Detection("binary", f"starts as {name} does")
    if sample.startswith(b"MZ") and b"\0" in sample[:64]:  # "MZ" alone may begin a text
        return Detection("binary", "starts as MZ/PE does")
    for mark, name in _WIDE_MARKS:
        if sample.startswith(mark):
            return Detection(
                "binary", f"starts with the byte order mark of {name}; convert it to UTF-8 for text"
            )
    return (
        _garbled(sample) or _code(sample, PurePath(path).suffix.lower()) or Detection("text", _prose(sample))
    )


def detect_sources(sources: Sequence[Source]) -> Detection:
    """Judges what most bytes of all sources are, from up to 16 files of each.

    Raises ConfigError for no sources, and InputError as `peek` does.
    """
    shares: dict[Kind, float] = {"binary": 0.0, "code": 0.0, "text": 0.0}
    reasons: dict[Kind, tuple[float, str]] = {}
    total = sum(source.size_bytes for source in sources)
    if not total:
        raise ConfigError("there are no sources to judge", "name an input")
    for source in sources:
        for sample in peek(source):
            kind, why = detect_kind(sample.data, "" if source.field else sample.path)
            weight = sample.share * source.size_bytes / total
            shares[kind] += weight
            reasons[kind] = max(reasons.get(kind, (0.0, "")), (weight, f"{sample.path} {why}"))
    kind = max(shares, key=lambda name: shares[name])
    return Detection(kind, f"{shares[kind]:.0%} of the sampled bytes are {kind}; {reasons[kind][1]}")


def is_utf8_text(sample: bytes) -> bool:
    """Whether ``sample`` is UTF-8 without NUL; a character may be cut at its end."""
    return b"\0" not in sample and not _invalid(sample)


def _invalid(sample: bytes) -> int:
    """About how many byte sequences are not UTF-8, not counting a character cut at the end."""
    text = sample.decode("utf-8", "replace")
    marks = text.count("\ufffd") - sample.count(b"\xef\xbf\xbd")
    return max(0, marks - _cut_at_end(sample))


def _cut_at_end(sample: bytes) -> int:
    try:
        sample[-4:].lstrip(bytes(range(0x80, 0xC0))).decode()
    except UnicodeDecodeError as error:
        return int(error.reason == "unexpected end of data")
    return 0


def _garbled(sample: bytes) -> Detection | None:
    size = max(len(sample), 1)
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > MAX_CONTROL_SHARE * size:
        return Detection("binary", f"{controls / size:.1%} of its bytes are NUL or other control bytes")
    invalid = _invalid(sample)
    if invalid > MAX_INVALID_SHARE * size:
        return Detection("binary", f"{invalid / size:.1%} of its bytes are not UTF-8")
    return None


def _code(sample: bytes, suffix: str) -> Detection | None:
    if suffix in _PROSE_SUFFIXES:
        return None
    operators, statements = _operator_share(sample), _statement_share(sample)
    looks = operators >= MIN_OPERATOR_SHARE and statements >= MIN_STATEMENT_SHARE
    script = sample.startswith(b"#!")
    if not (looks or script or suffix in _CODE_SUFFIXES):
        return None
    by = "looks like code" if looks else "starts with #!" if script else f"is named {suffix}"
    return Detection("code", f"{by}: {operators:.0%} operators, {statements:.0%} statement-like lines")


def _operator_share(sample: bytes) -> float:
    """Share of brackets and operators among all that is not white space."""
    solid = sample.translate(None, b" \t\r\n\f")
    return 1 - len(solid.translate(None, _OPERATORS)) / max(len(solid), 1)


def _statement_share(sample: bytes) -> float:
    """Share of lines that are indented or end as statements and blocks do."""
    lines = [line for line in sample.splitlines() if line.strip()]
    hits = sum(line[:1] in b" \t" or line.rstrip().endswith(_LINE_ENDS) for line in lines)
    return hits / max(len(lines), 1)


def _prose(sample: bytes) -> str:
    operators = _operator_share(sample)
    return f"is UTF-8 with {operators:.0%} operators" if not _invalid(sample) else "is mostly UTF-8"
