"""Tests that may be looked at again and again: confidence sequences, e-values and group-sequential bounds."""
