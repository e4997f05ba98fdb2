"""Suites, their grids of severities, and the numbers that papers print."""
