"""The content of a course or of a backup, brought into courses."""
