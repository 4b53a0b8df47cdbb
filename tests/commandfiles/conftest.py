"""The installation of the tests of this folder."""

from tests.installation_fixture import installation

__all__ = ["installation"]
