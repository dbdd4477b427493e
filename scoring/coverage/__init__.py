"""How evenly a set of pictures covers what it was meant to show, said honestly."""
