"""Points in a user's own files."""
