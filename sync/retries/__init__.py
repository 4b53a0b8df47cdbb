"""Retry by itself: rows that were rejected because something was missing are tried again."""
