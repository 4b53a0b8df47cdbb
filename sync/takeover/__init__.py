"""The take-over from the plugin tool_sync: what it was set to, kept and planned, out of a Moodle."""
