"""Course backups, read."""
