"""Checks the paper's data sets after unpacking, and writes the annotation files that its configs name."""
