"""A ToolSync joined to a Moodle, and browsers of people with and without permissions."""

from tests.installation_fixture import installation
from tests.web.conftest import client_with, files_client, users_client

__all__ = ["client_with", "files_client", "installation", "users_client"]
