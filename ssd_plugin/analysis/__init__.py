"""Looks at data, default boxes and trained runs, and shows what it finds."""
