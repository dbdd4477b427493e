"""What all statistics here rest on: distributions, moments that merge, and the intervals of a rate."""
