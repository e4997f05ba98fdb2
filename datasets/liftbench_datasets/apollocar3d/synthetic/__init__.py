"""Generated cars in traffic, the stand-in for ApolloCar3D."""
