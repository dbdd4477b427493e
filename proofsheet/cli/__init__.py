"""The command line: one command per verb; it parses and shows, and holds no logic."""

from proofsheet.cli.app import main

__all__ = ["main"]
