"""Look at data and results: how default boxes fit the objects, and what a trained detector does."""
