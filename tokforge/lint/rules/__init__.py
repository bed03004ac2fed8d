"""One module a rule: a page for its docstring, a ``check``, sometimes a ``fix``, and the ``RULE``."""
