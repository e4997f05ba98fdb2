"""How classical methods find the cameras."""
