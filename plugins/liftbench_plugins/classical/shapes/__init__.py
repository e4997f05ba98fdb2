"""How classical methods find the shapes."""
