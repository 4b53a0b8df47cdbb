"""Reset of courses."""
