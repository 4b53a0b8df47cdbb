"""Deletion of courses and of their content."""
