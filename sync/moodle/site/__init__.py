"""What belongs to a whole Moodle: contexts, cache flags, tags, time zone, command line."""
