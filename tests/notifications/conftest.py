"""The installation of the tests of this folder, and an authority for certificates."""

from tests.authority_fixture import authority, authority_file, trusted
from tests.installation_fixture import installation, installation_everywhere

__all__ = ["authority", "authority_file", "installation", "installation_everywhere", "trusted"]
