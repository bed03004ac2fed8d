"""Makes Markdown of what docstrings hold of reStructuredText: ``:class:`BpeConfig``` and bare sessions."""

import re
from textwrap import indent
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc|obj):`~?([^`]+)`")
BARE = re.compile(r"\n\n(>>> .*)", re.DOTALL)
EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)


class Roles(Extension):
    """Rewrites the roles of every docstring that is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            text = ROLE.sub(r"`\1`", obj.docstring.value)
            text = BARE.sub(lambda found: f"\n\nExamples:\n{indent(found[1], '    ')}", text)
            obj.docstring.value = EXAMPLE.sub(r"\1Examples:", text)  # the plural alone is read as a session
