"""Makes pictures: plans variant sets, draws scenes, composes advertisements on them."""
