"""Keeps everything: one DuckDB file, the pictures beside it, and the reports as they came."""
