"""The generated body that the stand-ins of people share."""
