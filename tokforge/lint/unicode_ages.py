"""Characters that Unicode added after 14.0, by general category: counts, and old ones to stand for them.

Facts from the Unicode Character Database, read off three engines: Python 3.11 (14.0), tokforge's own tables
(16.0) and the regex package (17.0); tests/unit/lint/test_unicode_ages.py counts them again where these are
installed.
"""

__all__ = ["ADDED", "REPRESENTATIVES"]

ADDED: dict[str, dict[str, int]] = {
    "15.0 to 16.0": {
        **{"Lo": 9144, "Lu": 27, "Ll": 31, "Lm": 70, "Mn": 71, "Mc": 22, "Nd": 100, "No": 20},
        **{"Po": 35, "Pd": 1, "So": 771, "Sm": 2, "Cf": 7},
    },
    "17.0": {
        **{"Lo": 16918, "Lu": 48, "Ll": 109, "Lm": 69, "Mn": 70, "Mc": 9, "Nd": 10, "Nl": 326},
        **{"Po": 3, "Ps": 1, "Pe": 1, "So": 185, "Sm": 55, "Sc": 4, "Sk": 2},
    },
}
"""Version -> general category -> characters that it added."""

REPRESENTATIVES = {
    **{"Lo": "\u05d0", "Lu": "\u0100", "Ll": "\u0101", "Lm": "\u02b0", "Mn": "\u0300", "Mc": "\u0903"},
    **{
        "Nd": "\u0660",
        "No": "\u00b2",
        "Nl": "\u2160",
        "Po": "\u00bf",
        "Pd": "\u2014",
        "Ps": "\u2045",
        "Pe": "\u2046",
    },
    **{"So": "\u00a9", "Sm": "\u00b1", "Sc": "\u20ac", "Sk": "\u02c2", "Cf": "\u2060"},
}
"""General category -> a character that every version from 14.0 on gives it."""
