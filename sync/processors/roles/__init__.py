"""The file type `roles`."""
