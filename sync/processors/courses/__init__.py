"""The file type `courses`."""
