"""``python -m tokforge`` is the command ``tokforge``."""

from tokforge_cli.start import main

if __name__ == "__main__":  # a test imports every module
    main()
