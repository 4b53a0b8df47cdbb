"""The installation of the tests of this folder, on a Moodle in which the plugin tool_sync was at work."""

from tests.installation_fixture import installation, installation_everywhere

__all__ = ["installation", "installation_everywhere"]
