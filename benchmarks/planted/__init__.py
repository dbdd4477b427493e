"""Composed advertisements in which one thing at a time is wrong on purpose."""
