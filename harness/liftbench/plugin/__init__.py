"""How plugins extend liftbench: hooks, specs and their registry."""
