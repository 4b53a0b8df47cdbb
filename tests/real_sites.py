"""Moodle databases of real sites, loaded from the dumps of ../shared/moodle; tests skip where that folder isn't."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.moodle_sites import MoodleSite
from tests.servers import MariaDB, PostgreSQL

_BESIDE_US = Path(__file__).resolve().parents[2] / "shared" / "moodle"
# What is known of real sites, and all that a new one needs: the version of each family of dumps, those that the matrix and the
# checks take, those with recorded effects, and the newest one that was tried.
_VERSIONS = {"m41": "4.1", "m45": "4.5", "m51": "5.1", "m52": "5.2", "m52dev": "5.2", "m520": "5.2", "m45pg": "4.5"}
REAL_SITES = ("m41-seeded", "m45-seeded", "m51-seeded", "m520-seeded", "m45pg-seeded")
# The richest of each version, and of each server.
RICH_SITES = ("m41-seeded", "m45-gold", "m51-gold", "m520-gold", "m45pg-seeded")
GOLD_SITES = ("m45-gold", "m51-gold", "m520-gold")
PRISTINE_SITES = ("m41-pristine", "m45-pristine", "m51-pristine", "m52-pristine", "m45pg-pristine")
EFFECT_SITES = ("m45", "m51", "m52dev", "m520")
# Beside the site with these rows: the dump whose tables take them on the other server.
MOVED_SITES = {"m45pg-gold": ("m45-gold", "m45pg-seeded")}
# Made from another dump by what remained of an upgrade.
_UPGRADED = {"m520-seeded": ("m52dev-seeded-upgraded", "to520.sql")}
# What the upgrade to the release after the newest one does.
NEXT_RELEASE = "to53.sql"
# The dumps switch unique_checks and foreign_key_checks off by themselves.
_FAST = "SET SESSION autocommit=0;\n"

RealSites = Callable[[str], MoodleSite]


def moodle_data() -> Path:
    """Return the folder of the dumps and recorded effects. TOOLSYNC_MOODLE_DATA names another one."""
    return Path(os.environ.get("TOOLSYNC_MOODLE_DATA") or _BESIDE_US)


def has_moodle_data() -> bool:
    return moodle_data().is_dir()


needs_moodle_data = [
    pytest.mark.moodle_data,
    pytest.mark.skipif(
        not has_moodle_data(), reason=f"no real Moodle databases in {moodle_data()} (TOOLSYNC_MOODLE_DATA)"
    ),
]


@cache
def recorded_effects(site: str) -> dict[str, Path]:
    """Return the files of what calls of Moodle's own API did, by the name of the case; those that were recorded later too."""
    folders = (moodle_data() / "effects" / site, moodle_data() / "effects" / "more" / site)
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.json"))}


@cache
def recorded_effect(site: str, case: str) -> dict[str, Any]:
    """Read what one call of Moodle's own API did: site "m45" or "m51", case "user_update" …"""
    return json.loads(recorded_effects(site)[case].read_text())


def version_of(site: str) -> str:
    """Return the version of Moodle of a dump or of recorded effects: "m45-gold", "m51"."""
    return _VERSIONS[site.split("-", 1)[0]]


@pytest.fixture
def real_site(request: pytest.FixtureRequest) -> Iterator[RealSites]:
    """Return a real site by the name of its dump, "m45-gold"; loaded once a session, put back after each test."""
    used: list[MoodleSite] = []

    def real_site(name: str) -> MoodleSite:
        if not has_moodle_data():
            pytest.skip(f"no real Moodle databases in {moodle_data()}")
        kind = "postgresql" if name.startswith("m45pg") else "mariadb"
        server = request.getfixturevalue(f"{kind}_server")
        if name in MOVED_SITES:
            used.append(load_moved(server, request.getfixturevalue("mariadb_server"), name))
        else:
            used.append(load_dump(server, name, name))
        return used[-1]

    yield real_site
    for site in used:
        site.restore_template()


@cache
def load_dump(server: MariaDB | PostgreSQL, name: str, database: str) -> MoodleSite:
    """Load the dump of a real site into a new database."""
    source, upgrade = _UPGRADED.get(name, (name, ""))
    with gzip.open(moodle_data() / f"{source}.sql.gz", "rt", encoding="utf-8") as file:
        dump = file.read()
    database = database.replace("-", "_")
    url = server.create_database(database)
    if isinstance(server, PostgreSQL):
        engine_name = "postgresql"
        # The tables belong to a database user of their site.
        server.sql("DO $$ BEGIN CREATE ROLE moodle; EXCEPTION WHEN duplicate_object THEN NULL; END $$", database)
        server.sql(dump, database)
    else:
        engine_name = "mariadb"
        server.sql(f"{_FAST}{dump}\nCOMMIT;", database)
        if upgrade:
            server.sql((moodle_data() / upgrade).read_text(), database)
    site = MoodleSite(url, engine_name, version_of(name))
    site.keep_as_template()
    return site


@cache
def load_moved(server: PostgreSQL, mariadb: MariaDB, name: str) -> MoodleSite:
    """Load the rows of a site on MariaDB into the tables of one of the same version on PostgreSQL, with the same ids."""
    rows_of, tables_of = MOVED_SITES[name]
    source, site = load_dump(mariadb, rows_of, f"{rows_of}-moved"), load_dump(server, tables_of, name)
    rows = source.snapshot()
    assert not (missing := rows.keys() - {*site.table_names}), missing
    with site.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE " + ", ".join(f"{site.prefix}{table}" for table in site.table_names))
        for table, found in rows.items():
            columns = next(iter(found.values()))
            connection.execute(sa.insert(sa.table(site.prefix + table, *map(sa.column, columns))), [*found.values()])
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{site.prefix}{table}', 'id'), {max(found)})"
            )
    site.keep_as_template()
    return site
