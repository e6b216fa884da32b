"""The embedded data set: drawn images of six shapes, for a run without any download."""
