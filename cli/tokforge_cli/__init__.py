"""The command line of tokforge: one file a command, no logic."""
