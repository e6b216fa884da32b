"""Check the paper's data sets after unpacking, and write the annotation files that its configs name."""
