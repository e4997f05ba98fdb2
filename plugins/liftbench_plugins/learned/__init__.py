"""Learned methods, and the training that they share."""
