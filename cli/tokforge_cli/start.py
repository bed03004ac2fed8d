"""The program's first lines: all else is imported where Ctrl-C already ends in a word."""

import os
import sys


def main() -> None:
    """Runs the command line of this process and ends it with its exit code."""
    try:
        from tokforge_cli.app import main as run
    except KeyboardInterrupt:
        sys.stderr.write("tokforge: interrupted\n")
        sys.stderr.flush()
        os._exit(130)
    run()
