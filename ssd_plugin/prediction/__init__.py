"""Prediction of many images in parts, which any number of processes and machines share."""
