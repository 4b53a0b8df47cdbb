"""The file types that ToolSync knows: one package for each subject, and their registry."""
