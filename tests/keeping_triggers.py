"""A database that doesn't let one of its rows go, or change, as a trigger of a plugin or of an operator may have it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.moodle_sites import MoodleSite

KEPT = "kept by the database"


@contextmanager
def kept_row(moodle: MoodleSite, event: str, table: str, where: str) -> Iterator[None]:
    """Let the database say no to an event (DELETE, UPDATE) on some rows of a table. Shape: where: of the row as OLD"""
    server, name = moodle.engine_name, f"{moodle.prefix}{table}"
    if server == "postgresql":
        with moodle.engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE FUNCTION keep_row() RETURNS trigger AS $$ BEGIN IF {where} THEN RAISE EXCEPTION '{KEPT}'; END IF;"
                f" RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$ LANGUAGE plpgsql"
            )
            connection.exec_driver_sql(
                f"CREATE TRIGGER keep_row BEFORE {event} ON {name} FOR EACH ROW EXECUTE FUNCTION keep_row()"
            )
    else:
        says_no = {
            "mariadb": f"FOR EACH ROW IF {where} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{KEPT}'; END IF",
            "sqlite": f"WHEN {where} BEGIN SELECT RAISE(ABORT, '{KEPT}'); END",
        }
        with moodle.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TRIGGER keep_row BEFORE {event} ON {name} {says_no[server]}")
    try:
        yield
    finally:
        with moodle.engine.begin() as connection:
            if server == "postgresql":
                connection.exec_driver_sql("DROP FUNCTION keep_row() CASCADE")
            else:
                connection.exec_driver_sql("DROP TRIGGER keep_row")
