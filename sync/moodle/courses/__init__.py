"""Courses in Moodle: reads, creation, order."""
