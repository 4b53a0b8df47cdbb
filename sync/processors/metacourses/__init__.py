"""The file type `courses_meta`."""
