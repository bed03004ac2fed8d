"""Floats as Hugging Face reads them: its JSON parser (serde_json) rounds twice, so that a score may come out
one unit in the last place off, and ties between Unigram's cuts fall by that.

Rule: digits are gathered in an unsigned 64-bit integer, further ones dropped; that is rounded to a double,
and multiplied or divided by a power of ten, rounded again. Source: serde_json, de.rs, `f64_from_parts`,
without its feature `float_roundtrip`; the oracle test reads numbers with both.
"""

import math
import re

__all__ = ["read_float", "write_float"]

_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6})\d*)?")
_LIMIT = 2**64 - 1
_HIGHEST_POWER = 308


def read_float(text: str) -> float:
    """Returns the number that Hugging Face reads from a JSON literal."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return float(text)
    sign, whole, fraction, exponent = found.groups()
    significand, dropped = _gather(0, whole)
    tail = "" if dropped or not fraction else fraction
    significand, lost = _gather(significand, tail)
    value = _scale(float(significand), int(exponent or 0) + dropped - (len(tail) - lost))
    return -value if sign else value


def _gather(significand: int, digits: str) -> tuple[int, int]:
    """Returns the digits joined to ``significand``, and how many no longer fit."""
    for number, digit in enumerate(digits):
        joined = significand * 10 + int(digit)
        if joined > _LIMIT:
            return significand, len(digits) - number
        significand = joined
    return significand, 0


def _scale(value: float, exponent: int) -> float:
    if exponent < -_HIGHEST_POWER and value:
        return _scale(value / 10.0**_HIGHEST_POWER, exponent + _HIGHEST_POWER)
    if exponent < 0:
        return value / float(f"1e{-exponent}") if value else 0.0
    return value * float(f"1e{exponent}") if exponent <= _HIGHEST_POWER else math.inf


def write_float(value: float) -> str:
    """Returns a literal that Hugging Face reads as ``value``: the shortest one, else one of more digits."""
    candidates = [repr(value)]
    for digits in range(15, 19):
        near = f"{value:.{digits}e}"
        mantissa, exponent = near.split("e")
        whole = int(mantissa.replace(".", ""))
        shift = int(exponent) - digits
        candidates += [f"{whole + step}e{shift}" for step in sorted(range(-12, 13), key=abs)]
    return next((text for text in candidates if read_float(text) == value), repr(value))
