"""Measurements of a model or a data set."""
