"""Sweeps over severities: their numbers, tables and figures."""
