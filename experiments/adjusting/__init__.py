"""Estimates with less noise, or of other parts of a distribution: CUPED, strata, quantiles, winsorising."""
