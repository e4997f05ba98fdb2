"""Datasets in the JSON format of C3DPO."""
