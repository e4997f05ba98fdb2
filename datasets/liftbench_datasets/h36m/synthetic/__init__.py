"""Generated people in a capture room, the stand-in for Human3.6M."""
