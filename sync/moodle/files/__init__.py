"""Moodle's files: rows of `files`, and the pool of their contents."""
