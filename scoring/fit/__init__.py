"""Soft scores: how well a picture fits brand and brief, and how a set of pictures differs, by a CLIP model."""
