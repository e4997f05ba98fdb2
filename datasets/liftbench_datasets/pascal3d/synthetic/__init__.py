"""Generated rigid objects, the stand-in for PASCAL3D+."""
