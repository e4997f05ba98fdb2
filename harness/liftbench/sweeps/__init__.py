"""Sweeps over corruptions: their tables, surfaces and figures."""
