"""From results and checks to a verdict with its reasons, and what an arm cost."""
