"""What adapters share: views, splits and the checks of parameters."""
