"""MUCT face landmarks."""
