"""What is in Moodle, read for people: users and courses are found and shown whole; what has an identifier is listed."""
