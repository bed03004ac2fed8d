"""Lets ``python -m tokforge_cli`` do what ``tokforge`` does."""

from tokforge_cli.app import main

main()
