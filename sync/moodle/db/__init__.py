"""Moodle's database: connection, reads and writes by sets, journal, commit marker, comparison of texts."""
