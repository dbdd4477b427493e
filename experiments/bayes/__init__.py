"""Posteriors of effects and rates, priors learnt from past experiments, the best arm and the value of waiting."""
