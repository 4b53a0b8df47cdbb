"""Enrolment methods, enrolments and roles in Moodle."""
