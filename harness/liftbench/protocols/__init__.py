"""From a prediction to a number: protocols, alignment and metrics."""
