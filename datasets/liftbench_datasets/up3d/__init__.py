"""UP-3D: people with fitted SMPL bodies."""
