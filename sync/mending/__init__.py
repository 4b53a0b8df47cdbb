"""Mend rejected rows in the page: their cells, what was changed in them, the command file that is made of it, and its check."""
