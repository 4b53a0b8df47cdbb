"""Cohorts in Moodle."""
