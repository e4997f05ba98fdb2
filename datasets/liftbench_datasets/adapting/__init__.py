"""Code that adapters share: views, splits and generated datasets."""
