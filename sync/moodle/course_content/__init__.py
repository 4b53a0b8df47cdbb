"""The content of courses: what belongs to it, copies, backups, restores, deletion and reset."""
