"""What can be learnt of a config, its data and a run without changing them."""
