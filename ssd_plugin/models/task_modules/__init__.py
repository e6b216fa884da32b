"""Default boxes, matching and mining."""
