"""The file type `user_preferences`."""
