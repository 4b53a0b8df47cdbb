"""The file type `userpictures`."""
