"""Moodle's course tables as data, and which rows belong to a course."""
