"""Names that are spelled nearly like others are found on every server."""

from __future__ import annotations

import pytest

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.site.similar import fetch_similar
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.1", "postgresql:5.2", "real:m45-seeded")


def test_what_begins_or_ends_alike_is_found(moodle_site: MoodleSite) -> None:
    for username, deleted in (("zoe_miller", 0), ("zoeXmiller", 0), ("amiller", 0), ("zoe_gone", 1)):
        moodle_site.insert("user", auth="manual", confirmed=1, mnethostid=1, username=username, deleted=deleted)
    database = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    wanted = {("user", "username"): ["zoe_mller"], ("course", "shortname"): ["C1x"], ("role", "shortname"): ["studnet"]}
    with database.session() as moodle:
        found = fetch_similar(moodle, wanted)
        signs = fetch_similar(moodle, {("user", "username"): ["oe_!%"]})
    database.dispose()

    assert {"zoe_miller", "zoeXmiller", "amiller"} <= set(found["user", "username"])
    assert "zoe_gone" not in found["user", "username"]
    assert "C1" in found["course", "shortname"]
    assert "student" in found["role", "shortname"]
    assert "zoe_miller" not in signs["user", "username"]
