"""What a plugin hands over: hooks, specs and their registry."""
