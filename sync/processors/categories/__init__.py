"""The file types `categories` and `categories_delete`."""
