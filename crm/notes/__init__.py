"""Notes at rows of any model, with people mentioned in them."""
