"""What is asked: suites, grids of severities, and the published numbers."""
