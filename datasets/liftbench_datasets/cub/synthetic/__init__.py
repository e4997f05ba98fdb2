"""Generated birds in pictures, the stand-in for CUB."""
