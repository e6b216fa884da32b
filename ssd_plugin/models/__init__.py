"""The network, its targets and losses."""
