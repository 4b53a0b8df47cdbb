"""`manage.py captureschema URL VERSION`: capture the tables of a freshly installed Moodle into sync/moodle/schemas."""

from __future__ import annotations

import gzip
import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from django.core.management.base import BaseCommand
from sqlalchemy.engine import Inspector

import sync.moodle.schemas

# What users, courses, roles and enrolments rest on.
SITE_TABLES = (
    "block", "config", "config_plugins", "context", "course", "course_categories", "course_format_options", "message_processors",
    "mnet_application", "mnet_host", "modules", "my_pages", "role", "role_allow_assign", "role_allow_override",
    "role_allow_switch", "role_allow_view", "role_capabilities", "role_context_levels", "scale", "tag_area", "tag_coll", "user",
)  # fmt: skip
# Settings that differ from site to site, or that nobody but the site should know.
_PRIVATE_SETTINGS = frozenset((
    "siteidentifier", "bigbluebuttonbn_shared_secret", "calendar_exportsalt", "cronremotepassword", "smtppass", "proxypassword",
    "recaptchaprivatekey", "jwtsecret", "allversionshash",
    "scheduledtaskhash", "filterfiltersjshash", "templaterev", "themerev", "jsrev", "langrev", "noreplyaddress", "supportemail",
    "updatecronoffset", "badges_badgesalt", "registerauth", "geoip2file",
))  # fmt: skip
_PLUGINS = (
    "auth_",
    "enrol_",
    "mod_",
    "block_",
    "calendartype_",
    "profilefield_",
    "format_",
    "local_",
    "tool_cohortroles",
)
_INTEGER_BYTES = {"TINYINT": 1, "SMALLINT": 2, "MEDIUMINT": 3, "INTEGER": 4, "INT": 4, "BIGINT": 8}


class Command(BaseCommand):
    help = "Captures tables and basic rows of a freshly installed Moodle (MariaDB) as data of this project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="SQLAlchemy address of the Moodle database")
        parser.add_argument("version", help="4.5 …, as sync/moodle/versions.py names it")
        parser.add_argument("--prefix", default="mdl_")

    def handle(self, *args: Any, url: str, version: str, prefix: str, **options: Any) -> None:
        engine = sa.create_engine(url)
        inspector = sa.inspect(engine)
        names = sorted(name for name in inspector.get_table_names() if name.startswith(prefix))
        tables = {name.removeprefix(prefix): _capture(inspector, name, prefix) for name in names}
        rows = {table: _site_rows(engine, prefix, table) for table in SITE_TABLES if table in tables}
        number = next(row["value"] for row in rows["config"] if row["name"] == "version")
        _write(f"{version}.json.gz", {"version": number, "tables": tables})
        _write(f"{version}.site.json.gz", rows)
        self.stdout.write(f"{len(tables)} tables, {sum(map(len, rows.values()))} rows")


def _capture(inspector: Inspector, name: str, prefix: str) -> dict[str, Any]:
    columns = [_capture_column(column) for column in inspector.get_columns(name)]
    indexes = [
        [str(index["name"]).removeprefix(prefix), bool(index["unique"]), list(index["column_names"])]
        for index in inspector.get_indexes(name)
        if not str(index["name"]).endswith("search_simpledb_index_index")  # the one full-text index
    ]
    return {"columns": columns, "indexes": sorted(indexes)}


def _capture_column(column: Any) -> list[Any]:
    kind = column["type"]
    default = None if column["default"] in (None, "NULL") else str(column["default"]).strip("'")
    shape: list[Any]
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        shape = ["number", kind.precision, kind.scale]
    elif isinstance(kind, sa.Float):
        shape = ["double" if "DOUBLE" in str(kind) else "float", None, None]
    elif isinstance(kind, sa.Text) or kind.__class__.__name__.endswith("TEXT"):
        shape = ["text", None, None]
    elif isinstance(kind, sa.String):
        shape = ["char", kind.length, None]
    else:
        shape = ["int", _INTEGER_BYTES[kind.__class__.__name__], None]
    return [column["name"], *shape, bool(column["nullable"]), default]


def _site_rows(engine: sa.Engine, prefix: str, table: str) -> list[dict[str, Any]]:
    target = sa.Table(prefix + table, sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(sa.select(target).order_by(target.c.id))]
    return [_public(table, row) for row in rows if _belongs(table, row)]


def _belongs(table: str, row: dict[str, Any]) -> bool:
    if table == "config":
        return row["name"] not in _PRIVATE_SETTINGS and len(row["value"] or "") < 500
    if table == "config_plugins":
        is_secret = row["name"].endswith(("kid", "key", "secret"))
        return row["plugin"].startswith(_PLUGINS) and not is_secret and len(row["value"] or "") < 200
    return True


def _public(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table == "user":
        row = {
            **row,
            "password": "*",
            "lastip": "",
            "firstaccess": 0,
            "lastaccess": 0,
            "lastlogin": 0,
            "currentlogin": 0,
        }
    if table == "mnet_host":
        row = {**row, "wwwroot": "http://moodle.example" if row["wwwroot"] else "", "public_key": "", "ip_address": ""}
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _write(name: str, document: Any) -> None:
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    folder = Path(sync.moodle.schemas.__file__).parent
    # Without time and name in the gzip header, the same capture gives the same bytes.
    (folder / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
