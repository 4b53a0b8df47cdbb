"""Print the rights that the account of a Moodle database needs, as statements for its server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import MoodleError
from sync.management.command import ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.db.dialects import SERVERS, Capabilities
from sync.moodle.integrity.written_tables import grants, written_tables
from sync.moodle.schemas import load_schema
from sync.moodle.versions import CAPTURED
from sync.runs.connections import moodle_of


class Command(ToolSyncCommand):
    """manage.py moodlegrants. Exit status: 0 printed, 1 its Moodle can't be looked at, 3 there is no such site."""

    help = (
        "Print the GRANT statements, table by table, for the database account through which ToolSync reaches a Moodle. "
        "With --release, the tables are those of that release of Moodle, and the database isn't asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--server", choices=SERVERS, help="the kind of server (default: the one of the site)")
        parser.add_argument(
            "--account", default="", help="the database account (default: toolsync, in the words of the server)"
        )
        parser.add_argument("--release", choices=CAPTURED, help="take the tables of this release of Moodle")
        self.add_json(parser)

    def handle(self, *, site: str, server: str | None, account: str, release: str | None, **chosen: Any) -> None:
        owner = site_of_slug(site)
        try:
            moodle = moodle_of(owner)
            try:
                statements = _statements(moodle, SERVERS[server] if server else _server_of(moodle), account, release)
            finally:
                moodle.dispose()
        except MoodleError as error:
            raise CommandError(text_of(error.code, error.params)) from None
        if chosen["json"]:
            self.print_json(statements)
        else:
            self.stdout.write("\n".join(statements))


def _statements(moodle: MoodleDatabase, server: Capabilities, account: str, release: str | None) -> list[str]:
    present = load_schema(release).tables if release else moodle.table_names
    tables = [moodle.prefix + name for name in written_tables(present)]
    database = moodle.engine.url.database or "moodle"
    return list(grants(server, database=database, account=account or server.account, tables=tables))


def _server_of(moodle: MoodleDatabase) -> Capabilities:
    """Return the kind of server of a site. Raises: CommandError if it is none that has accounts"""
    with moodle.session() as session:
        server = session.capabilities
    if not server.account:
        raise CommandError(f"{server.label} knows no accounts: choose the server with --server.")
    return server
