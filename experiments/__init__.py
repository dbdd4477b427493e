"""The statistics of creative tests, on aggregates only."""
