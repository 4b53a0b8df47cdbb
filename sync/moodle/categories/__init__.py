"""Course categories in Moodle."""
