"""PASCAL3D+: rigid categories with CAD models."""
