"""Judges assets: measured scores, and verdicts that follow from stated rules."""
