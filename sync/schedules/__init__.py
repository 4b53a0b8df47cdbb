"""Schedules: what is started without a person, which files it takes, and when."""
