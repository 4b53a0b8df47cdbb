"""Lists of people, passwords, addresses, and the empty cell that must not delete a cohort."""

from __future__ import annotations

from tests.real_files.conftest import ReadCase

COHORT = "SELECT COUNT(*) FROM mdl_cohort_members m JOIN mdl_cohort c ON c.id = m.cohortid WHERE c.idnumber = 'COH-SYS'"


def test_036_lists_with_names_leave_another_person_alone(real_case: ReadCase) -> None:
    case = real_case("036")
    suspended, deleted = case.run_all()

    # The users are called First140 Läst140 and First141 Läst141.
    for run in (suspended, deleted):
        assert [outcome.code for outcome in run.outcomes] == ["account_of_another_person"]
    names = "SELECT username, deleted, suspended FROM mdl_user WHERE username IN ('user140', 'user141') ORDER BY 1"
    assert case.look(names) == [("user140", 0, 0), ("user141", 0, 0)]


def test_051_addresses_that_moodle_calls_invalid_are_warned_of(real_case: ReadCase) -> None:
    case = real_case("051")
    [run] = case.run_all()

    assert run.counts == {"created": 3, "rejected": 2}
    assert run.report.count("is no address to which Moodle sends mails") == 3


def test_078_an_empty_user_deletes_no_cohort(real_case: ReadCase) -> None:
    case = real_case("078")
    [[before]] = case.look(COHORT)
    [run] = case.run_all()

    assert [outcome.code for outcome in run.outcomes] == ["cohort_member_removed", "cohort_user_empty"]
    assert case.look(COHORT) == [(before - 1,)]
    assert "cohort “COH-SYS” was left as it is" in run.report


def test_080_changeme_has_to_be_changed(real_case: ReadCase) -> None:
    case = real_case("080")
    [run] = case.run_all()

    assert run.counts == {"created": 2}
    query = (
        "SELECT u.username, p.value FROM mdl_user u JOIN mdl_user_preferences p ON p.userid = u.id "
        "WHERE u.username LIKE 'b80.%' AND p.name = 'auth_forcepasswordchange' ORDER BY 1"
    )
    assert case.look(query) == [("b80.a", "1"), ("b80.b", "1")]
