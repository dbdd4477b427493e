"""The studio: a small renderer of sets for product advertising, in numpy, linear light and OKLCH."""
