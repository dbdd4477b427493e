"""Backends: what draws a scene."""
