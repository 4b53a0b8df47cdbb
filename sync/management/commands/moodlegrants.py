"""Print the rights that the account of a Moodle database needs, as statements for its server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import MoodleError
from sync.management.command import ToolSyncCommand
from sync.messages import text_of
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.db.dialects import SERVERS, Capabilities
from sync.moodle.integrity.written_tables import grants, written_tables
from sync.moodle.schemas import load_schema
from sync.moodle.versions import CAPTURED
from sync.runs.connections import moodle_of
from sync.runs.options import MAIN_SITE


class Command(ToolSyncCommand):
    """manage.py moodlegrants. Exit status: 1 when there is no such site, or its Moodle can't be looked at"""

    help = (
        "Print the GRANT statements, table by table, for the database account through which ToolSync reaches a Moodle. "
        "With --release, the tables are those of that release of Moodle, and the database isn't asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")
        parser.add_argument("--server", choices=SERVERS, help="the kind of server (default: the one of the site)")
        parser.add_argument(
            "--account", default="", help="the database account (default: toolsync, in the words of the server)"
        )
        parser.add_argument("--release", choices=CAPTURED, help="take the tables of this release of Moodle")

    def handle(self, *, site: str, server: str | None, account: str, release: str | None, **_options: Any) -> None:
        owner = MoodleSite.objects.filter(slug=site).first()
        if owner is None:
            raise CommandError(f"There is no site “{site}”.")
        try:
            moodle = moodle_of(owner)
            try:
                self._print(moodle, SERVERS[server] if server else _server_of(moodle), account, release)
            finally:
                moodle.dispose()
        except MoodleError as error:
            raise CommandError(text_of(error.code, error.params)) from None

    def _print(self, moodle: MoodleDatabase, server: Capabilities, account: str, release: str | None) -> None:
        present = load_schema(release).tables if release else moodle.table_names
        tables = [moodle.prefix + name for name in written_tables(present)]
        database = moodle.engine.url.database or "moodle"
        for line in grants(server, database=database, account=account or server.account, tables=tables):
            self.stdout.write(line)


def _server_of(moodle: MoodleDatabase) -> Capabilities:
    """Return the kind of server of a site. Raises: CommandError if it is none that has accounts"""
    with moodle.session() as session:
        server = session.capabilities
    if not server.account:
        raise CommandError(f"{server.label} knows no accounts: choose the server with --server.")
    return server
