"""The hall: one function per verb; only here are rooms joined, and nouns loaded and saved."""
