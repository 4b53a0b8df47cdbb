"""Users in Moodle: reads, passwords, pictures, deletion."""
