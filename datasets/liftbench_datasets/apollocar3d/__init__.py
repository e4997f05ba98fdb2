"""ApolloCar3D: cars in street scenes."""
