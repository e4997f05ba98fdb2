"""Readers of foreign files, and checks of what they hold."""
