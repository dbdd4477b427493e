"""Parts of the composer: colour, type, ground, product, marks and the arrangement of a picture."""
