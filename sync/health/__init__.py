"""What ToolSync needs to be at work: what is looked at, what was found, and what an administrator can do."""
