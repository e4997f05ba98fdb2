"""The NRSfM challenge."""
