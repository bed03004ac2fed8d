"""Lets ``python -m tokforge_cli`` do what ``tokforge`` does."""

from tokforge_cli.start import main

if __name__ == "__main__":
    main()
