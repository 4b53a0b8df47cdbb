"""The file type `enrolments`."""
