"""What every method agrees with, family by family; ``benchmarks/oracles.py`` measures it and writes the page."""
