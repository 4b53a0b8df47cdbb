"""However people come and go in a course: who takes them from there ends as if the link were made at the end."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from tests.processors.enrolment_people import add_people
from tests.support import MoodleSite, run_file

PEOPLE = ("ann", "bob", "eve")
LINK = "cmd;meta;master\nadd;C2;C1\n"
HEADER = "cmd;cid;uid;rolename;enrol;starttime;endtime\n"

row = st.tuples(
    st.sampled_from(("add", "add", "add", "del", "shift", "enable", "disable")),
    st.sampled_from(PEOPLE),
    st.sampled_from(("student", "editingteacher")),
    st.sampled_from(("2030-01-01;2031-01-01", "2029-01-01;0", "2028-01-01;2032-05-01")),
)


def in_child(site: MoodleSite) -> dict[str, list[tuple[Any, ...]]]:
    """Who is in C2 by the link, and how; moments of writing and ids left out.

    Dates of who is suspended too: Moodle's observer leaves them as they were, its whole synchronisation sets none.
    """
    names = {row["id"]: row["username"] for row in site.rows("user")}
    [link] = site.rows("enrol", courseid=site.ids["C2"], enrol="meta")
    given = site.rows("role_assignments", contextid=site.ids["C2 context"], component="enrol_meta", itemid=link["id"])
    return {
        "enrolments": sorted(
            (names[line["userid"]], line["status"], *(() if line["status"] else (line["timestart"], line["timeend"])))
            for line in site.rows("user_enrolments", enrolid=link["id"])
        ),
        "roles": sorted((names[line["userid"]], line["roleid"]) for line in given),
    }


@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(row, min_size=1, max_size=8), chunk_rows=st.sampled_from((1, 3, 1000)))
def test_a_link_kept_up_row_by_row_agrees_with_one_made_at_the_end(
    sqlite_site: MoodleSite, rows: list[tuple[str, str, str, str]], chunk_rows: int
) -> None:
    text = HEADER + "".join(f"{cmd};C1;{who};{role};manual;{dates}\n" for cmd, who, role, dates in rows)

    def carry_out(*files: tuple[str, str]) -> dict[str, list[tuple[Any, ...]]]:
        sqlite_site.restore_template()
        add_people(sqlite_site, "bob", "eve")
        sqlite_site.execute(
            "UPDATE {config} SET value = 'manual,guest,self,cohort,meta' WHERE name = 'enrol_plugins_enabled'"
        )
        # Who has gone is unenrolled: by default, Moodle keeps those as suspended whom it saw before.
        sqlite_site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_meta' AND name = 'unenrolaction'")
        sqlite_site.insert("config_plugins", plugin="enrol_meta", name="unenrolaction", value="0")
        for key, content in files:
            result = run_file(sqlite_site, key, content, chunk_rows=chunk_rows)
            assert "rejected" not in result.counts or key == "enrolments", result.codes
        return in_child(sqlite_site)

    followed = carry_out(("courses_meta", LINK), ("enrolments", text))
    at_the_end = carry_out(("enrolments", text), ("courses_meta", LINK))

    assert followed == at_the_end
