"""Groups and groupings in Moodle."""
