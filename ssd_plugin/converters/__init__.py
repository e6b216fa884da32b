"""Weights of other SSDs into ours."""
