"""Proofsheet: plan, generate, score, review, export, measure and decide ad-creative tests."""

__version__ = "0.1.0"
