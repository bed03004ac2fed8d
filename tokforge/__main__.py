"""``python -m tokforge`` is the command ``tokforge``."""

from tokforge_cli.app import main

main()
