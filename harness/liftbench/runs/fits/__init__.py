"""Fits: what their child processes are asked, those that a suite keeps, and those of teachers."""
