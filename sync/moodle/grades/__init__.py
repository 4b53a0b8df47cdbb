"""Grades in Moodle."""
