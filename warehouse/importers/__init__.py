"""Whose report a file is, and what its columns mean: one importer per platform, found by entry point."""
