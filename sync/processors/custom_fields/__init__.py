"""The file type `custom_fields`."""
