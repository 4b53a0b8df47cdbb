"""The file types `groups` and `groupmembers`."""
