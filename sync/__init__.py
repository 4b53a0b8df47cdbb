"""ToolSync: command files carried out on a Moodle database."""

__version__ = "0.1.0"
