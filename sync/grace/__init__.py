"""Deletion with grace: the list of what is to be deleted, and what deletes it or takes it off."""
