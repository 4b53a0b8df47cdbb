"""The file type `categories_delete`."""
