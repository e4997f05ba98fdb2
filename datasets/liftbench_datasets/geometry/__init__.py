"""Meshes, rays, skinning and poses."""
