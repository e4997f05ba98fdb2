"""Two waving cloths."""
