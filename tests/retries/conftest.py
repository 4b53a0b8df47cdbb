"""The installation of the tests of this folder."""

from tests.installation_fixture import installation, installation_everywhere

__all__ = ["installation", "installation_everywhere"]
