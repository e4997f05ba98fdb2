"""Generated walking bodies."""
