"""Moodle sites beside the one of the environment: how they are set up, changed and taken out of use."""
