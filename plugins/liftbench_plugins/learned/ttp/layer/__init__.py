"""The layer that finds pose and deformation: problem, starts, solvers and their gradients."""
