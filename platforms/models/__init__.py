"""Rows of this floor."""
