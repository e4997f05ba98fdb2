"""Surfaces: which pixels they cover, and their files."""
