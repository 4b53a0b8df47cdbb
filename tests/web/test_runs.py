from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from sync.commandfiles import storage
from sync.models import MoodleSite, Role, RoleAssignment, RunMail, SyncRun
from sync.notifications.mails import keep_mails
from sync.processors.base.plan import Mail
from sync.runs.outcome_search import OutcomePage
from sync.values import Action, Change, Outcome
from tests.web.conftest import OUTCOMES, MakeFile, MakeRun, keep_run_file, person_of

LIST = "/runs/"
AT_COURSE = {"identifier": "idnumber", "column": "course1"}


def page_of(client: Client, run: SyncRun, **query: Any) -> str:
    return client.get(reverse("run", args=[run.pk]), query).text


def progress_of(client: Client, run: SyncRun) -> str:
    return client.get(reverse("run_progress", args=[run.pk]), headers={"HX-Request": "true"}).text


def test_the_page_says_what_became_of_each_row(users_client: Client, make_run: MakeRun) -> None:
    text = page_of(users_client, make_run())
    for shown in ("ann", "user added", "department", "New house", "password changed", "lastname", "Shorten it."):
        assert shown in text
    assert "Old &lt;b&gt;house&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("show", "lines"),
    [
        ("", [2, 3, 4, 5]),
        ("created", [2]),
        ("rejected", [4, 5]),
        ("email_taken", [5]),
        ("unheard_of", []),
        ("deleted", []),
    ],
)
def test_outcomes_are_narrowed_by_action_and_by_code(
    show: str, lines: list[int], users_client: Client, make_run: MakeRun
) -> None:
    answer = users_client.get(reverse("run_outcomes", args=[make_run().pk]), {"show": show})
    assert [outcome.line for outcome in answer.context["outcomes"].outcomes] == lines


def test_outcomes_come_in_pages(users_client: Client, make_run: MakeRun) -> None:
    run = make_run(outcomes=[Outcome(line, Action.CREATED, "account_created", {}, f"u{line}") for line in range(2, 82)])

    def shown(**query: str) -> tuple[list[int], OutcomePage]:
        page = users_client.get(reverse("run_outcomes", args=[run.pk]), query).context["outcomes"]
        return [outcome.line for outcome in page.outcomes], page

    lines, first = shown()
    assert (lines, first.before, first.total) == ([*range(2, 52)], None, 80)
    lines, second = shown(after=str(first.after))
    assert (lines, second.after) == ([*range(52, 82)], None)
    assert shown(before=str(second.before))[0] == [*range(2, 52)]


@pytest.mark.parametrize("place", ["²-1", "9" * 5000, "-1", "x", "1-", "0-0", "9" * 30 + "-1"])
def test_a_place_that_cannot_be_is_the_first(place: str, users_client: Client, make_run: MakeRun) -> None:
    answer = users_client.get(reverse("run_outcomes", args=[make_run().pk]), {"after": place})
    assert [outcome.line for outcome in answer.context["outcomes"].outcomes] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ({"q": "ANN"}, [2, 5]),
        ({"q": "x@example"}, [5]),
        ({"q": "4"}, [4]),
        ({"q": "nobody"}, []),
        ({"q": "bob", "show": "created"}, []),
        ({"column": "lastname"}, [4]),
        ({"column": "department"}, [3]),
        ({"column": "email", "show": "rejected", "q": "cid"}, [5]),
        ({"case": "0123456789abcdef"}, []),
    ],
)
def test_outcomes_are_found_by_what_they_name_by_line_and_by_column(
    query: dict[str, str], lines: list[int], users_client: Client, make_run: MakeRun
) -> None:
    answer = users_client.get(reverse("run_outcomes", args=[make_run().pk]), query)
    assert [outcome.line for outcome in answer.context["outcomes"].outcomes] == lines


def test_failed_rows_are_said_first_by_reason_and_case(users_client: Client, make_run: MakeRun) -> None:
    missing = [
        Outcome(
            line,
            Action.REJECTED,
            "course_unknown",
            {"course": name, "identifier": "idnumber", "column": "course1"},
            f"u{line}",
        )
        for line, name in enumerate(["ALG-1", "ALG-1", "GEO", "ALG-1"], 2)
    ]
    run = make_run("completed_with_rejections", outcomes=missing)
    page = users_client.get(reverse("run", args=[run.pk]))

    (reason,) = page.context["reasons"]
    assert [(case.count, case.line) for case in reason.cases] == [(3, 2), (1, 4)]
    assert page.text.index("What was not done") < page.text.index("What became of each row")
    answer = users_client.get(f"{reverse('run_outcomes', args=[run.pk])}?{reason.cases[0].query}")
    assert [outcome.line for outcome in answer.context["outcomes"].outcomes] == [2, 3, 5]


def test_the_rows_that_are_shown_come_as_a_workbook_without_formulas(users_client: Client, make_run: MakeRun) -> None:
    bad = Outcome(2, Action.CREATED, "account_created", {}, '=HYPERLINK("x")', (Change("city", "", "a\x01b"),))
    run = make_run(outcomes=[bad, *OUTCOMES[1:]])
    address = reverse("run_workbook", args=[run.pk])

    rows = list(load_workbook(BytesIO(users_client.get(address).getvalue())).active.values)
    assert rows[0] == ("line", "identifier", "action", "code", "text", "field", "old", "new")
    assert rows[1] == (2, '\'=HYPERLINK("x")', "created", "account_created", "user added", "city", None, "a\ufffdb")
    assert len(rows) == 5
    narrowed = users_client.get(address, {"show": "rejected", "column": "email"}).getvalue()
    assert [row[0] for row in load_workbook(BytesIO(narrowed)).active.values] == ["line", 5]


def test_the_report_comes_as_pdf_in_any_alphabet(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    keep_run_file(run, "report", "Łódź · Ωμέγα · жук\nline 4: REJECTED\n".encode() * 800)
    answer = users_client.get(reverse("run_report_pdf", args=[run.pk]))
    assert answer.getvalue().startswith(b"%PDF-")
    assert answer["Content-Disposition"].endswith('.pdf"')


def test_runs_that_belong_together_name_each_other(users_client: Client, make_run: MakeRun) -> None:
    simulated = make_run(simulate=True)
    applied = make_run(plan=simulated)
    keep_run_file(applied, "tryback", path="/in_tryback_20250304-091205.csv")
    again = make_run()
    SyncRun.objects.filter(pk=again.pk).update(file_path="/uploads/x/in_tryback_20250304-091205.csv")
    undo = make_run(undoes=applied)
    alone = make_run()

    for run in (simulated, applied, again, undo):
        family = users_client.get(reverse("run", args=[run.pk])).context["family"]
        assert [(relative.run.pk, relative.kin) for relative in family] == [
            (simulated.pk, "simulation"), (applied.pk, "run"), (again.pk, "tryback"), (undo.pk, "undo"),
        ]  # fmt: skip
    assert users_client.get(reverse("run", args=[alone.pk])).context["family"] == []


def test_outcomes_that_are_gone_are_a_sentence(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    storage.delete(run.chunks.get().outcomes_key)
    for address in ("run", "run_outcomes"):
        answer = users_client.get(reverse(address, args=[run.pk]))
        assert answer.status_code == 200
        assert "The stored outcomes of the rows up to line" in answer.text


def test_a_filter_survives_turning_the_page(users_client: Client, make_run: MakeRun) -> None:
    run = make_run(outcomes=[Outcome(line, Action.CREATED, "account_created", {}, f"u{line}") for line in range(2, 82)])
    assert "?show=created&amp;after=81-49" in page_of(users_client, run, show="created")


def test_a_filtered_fragment_marks_its_tile_and_names_the_address_of_the_page(
    users_client: Client, make_run: MakeRun
) -> None:
    run = make_run()
    answer = users_client.get(reverse("run_outcomes", args=[run.pk]), {"show": "rejected"})
    assert answer.headers["HX-Push-Url"] == f"/runs/{run.pk}/?show=rejected"
    assert 'hx-swap-oob="true"' in answer.text
    assert answer.text.count('aria-current="true"') == 1
    assert 'hx-swap-oob="true"' not in page_of(users_client, run)


def test_a_refused_file_says_why_and_that_nothing_was_changed(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("failed", outcomes=(), error_code="file_empty")
    text = page_of(users_client, run)
    assert "Nothing was changed in Moodle." in text
    assert "The file is empty. Put a header line" in text


def test_what_the_reader_passed_over_is_told(users_client: Client, make_run: MakeRun) -> None:
    text = page_of(users_client, make_run(skipped={"count": 4}, notes=[["columns_ignored", {"columns": "gender"}]]))
    assert "4 comment or blank lines were passed over." in text
    assert "ignored: gender" in text


@pytest.mark.parametrize(
    ("state", "values", "sentence"),
    [
        ("queued", {}, "Queued."),
        ("running", {"rows_done": 10}, "Running."),
        ("running", {"rows_done": 10, "simulate": True}, "Simulating."),
        ("running", {"rows_done": 10, "cancel_requested": True}, "Cancelling"),
        ("running", {"waiting_since": timezone.now()}, "hasn&#x27;t answered since"),
    ],
)
def test_progress_says_what_is_going_on(
    state: str, values: dict[str, Any], sentence: str, users_client: Client, make_run: MakeRun
) -> None:
    assert sentence in progress_of(users_client, make_run(state, outcomes=(), **values))


def test_progress_tells_how_far_and_how_long(users_client: Client, make_run: MakeRun) -> None:
    started = timezone.now() - timedelta(seconds=10)
    run = make_run("running", started_at=started, rows_expected=20)
    text = progress_of(users_client, run)
    assert 'value="20"' in text
    assert "seconds left" in text


def test_progress_names_the_run_that_is_waited_for(users_client: Client, make_run: MakeRun) -> None:
    first = make_run("running")
    assert f"Waiting for run {first.pk} to end." in progress_of(users_client, make_run("queued", outcomes=()))
    # A simulation writes nothing and waits for nobody.
    assert "Queued." in progress_of(users_client, make_run("queued", outcomes=(), simulate=True))


def test_a_run_that_no_worker_takes_says_so(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("queued", outcomes=())
    SyncRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert "No worker has taken it" in progress_of(users_client, run)


def test_the_page_asks_every_second_until_the_run_is_over(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("running")
    assert 'hx-trigger="every 1s"' in page_of(users_client, run)
    SyncRun.objects.update(state="completed")
    assert users_client.get(reverse("run_progress", args=[run.pk])).headers["HX-Refresh"] == "true"
    assert 'hx-trigger="every 1s"' not in page_of(users_client, run)


@pytest.mark.parametrize("kind", ["report", "tryback", "archive"])
def test_a_file_of_the_run_is_handed_out_byte_for_byte(kind: str, users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    keep_run_file(run, kind, b"a;b\r\n\xe9;2\r\n")
    url = reverse("run_file", args=[run.pk, kind])
    assert url in page_of(users_client, run)
    answer = users_client.get(url)
    assert answer.getvalue() == b"a;b\r\n\xe9;2\r\n"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_report_is_shown_and_escaped(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    keep_run_file(run, "report", "line 2: <é>\n".encode())
    assert "line 2: &lt;é&gt;" in users_client.get(reverse("run_report", args=[run.pk])).text


def test_only_the_beginning_of_a_huge_report_is_shown(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    keep_run_file(run, "report", b"x" * (1024 * 1024 + 1))
    answer = users_client.get(reverse("run_report", args=[run.pk]))
    assert "Only the beginning is shown here." in answer.text
    assert len(answer.context["text"]) == 1024 * 1024


def test_a_queued_run_is_cancelled(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("queued", outcomes=())
    users_client.post(reverse("run_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_an_errored_run_is_taken_up_again(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("errored", error_code="moodle_unavailable", error_params={"reason": "gone"})
    assert "Take up again" in page_of(users_client, run)
    users_client.post(reverse("run_resume", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_completed_run_is_not_taken_up_again(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    assert "Take up again" not in page_of(users_client, run)
    answer = users_client.post(reverse("run_resume", args=[run.pk]), follow=True)
    assert "Only a run that stopped before its end" in answer.text
    run.refresh_from_db()
    assert run.state == "completed"


def test_a_simulation_is_applied_with_the_same_file_and_options(users_client: Client, make_run: MakeRun) -> None:
    simulated = make_run(simulate=True, options={"primaryidentity": "email"})
    assert reverse("run_apply", args=[simulated.pk]) in page_of(users_client, simulated)
    users_client.post(reverse("run_apply", args=[simulated.pk]))
    real = SyncRun.objects.exclude(pk=simulated.pk).get()
    assert (real.simulate, real.command_file, real.options["primaryidentity"]) == (
        False,
        simulated.command_file,
        "email",
    )


def test_a_simulation_of_a_file_that_was_changed_isnt_run(
    users_client: Client, make_run: MakeRun, make_file: MakeFile
) -> None:
    simulated = make_run(simulate=True)
    make_file(content=b"username;firstname;lastname\nother;Other;One\n")
    assert reverse("run_apply", args=[simulated.pk]) not in page_of(users_client, simulated)
    answer = users_client.post(reverse("run_apply", args=[simulated.pk]), follow=True)
    assert "Simulate this file again." in answer.text
    assert SyncRun.objects.count() == 1


def test_a_tryback_in_the_file_area_can_be_sent(users_client: Client, make_run: MakeRun, make_file: MakeFile) -> None:
    run = make_run("completed_with_rejections")
    tryback = make_file("userimport_tryback.csv")
    keep_run_file(run, "tryback", path="/userimport_tryback.csv")
    assert f"{reverse('tool', args=['users'])}?file={tryback.pk}" in page_of(users_client, run)


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ({}, ["running", "failed", "completed"]),
        ({"state": "failed"}, ["failed"]),
        ({"simulate": "true"}, ["completed"]),
        ({"simulate": "false"}, ["running", "failed"]),
        ({"processor": "users"}, ["running", "failed", "completed"]),
    ],
)
def test_the_list_is_narrowed(
    query: dict[str, str], states: list[str], users_client: Client, make_run: MakeRun
) -> None:
    make_run("completed", simulate=True)
    make_run("failed")
    make_run("running")
    make_run("completed", processor="users_delete")
    assert [run.state for run in users_client.get(LIST, query).context["runs"]] == states


def test_the_list_refreshes_itself_only_while_something_is_going_on(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("running")
    assert 'hx-trigger="every 5s"' in users_client.get(LIST).text
    SyncRun.objects.filter(pk=run.pk).update(state="completed")
    fragment = users_client.get(LIST, headers={"HX-Request": "true"}).text
    assert 'hx-trigger="every 5s"' not in fragment
    assert "<html" not in fragment


def test_more_runs_cost_no_more_queries(users_client: Client, make_run: MakeRun) -> None:
    make_run()
    with CaptureQueriesContext(connection) as few:
        users_client.get(LIST)
    for _number in range(10):
        make_run()
    with CaptureQueriesContext(connection) as many:
        users_client.get(LIST)
    assert len(many) == len(few)


def test_more_outcomes_cost_no_more_queries(users_client: Client, make_run: MakeRun) -> None:
    counts = []
    for rows in (3, 40):
        run = make_run(outcomes=[Outcome(line, Action.CREATED, "account_created", {}) for line in range(2, 2 + rows)])
        with CaptureQueriesContext(connection) as queries:
            page_of(users_client, run)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_progress_says_how_fast_it_is_and_what_was_rejected_last(users_client: Client, make_run: MakeRun) -> None:
    started = timezone.now() - timedelta(seconds=2)
    text = progress_of(users_client, make_run("running", started_at=started, rows_expected=2000))
    assert "4 rows of 2000 done" in text.replace(",", "").replace("\xa0", "")
    assert "2 rows a second" in text
    last = text.index("Rejected last")
    assert last < text.index("line 5, cid: column email") < text.index("line 4: column lastname")


def test_the_badge_and_the_title_follow_the_state(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("queued", outcomes=())
    assert "<title>Queued · Run" in page_of(users_client, run)
    SyncRun.objects.update(state="running")
    text = progress_of(users_client, run)
    assert f"<title>Running · Run {run.pk} · ToolSync</title>" in text
    assert '<span id="run-state" hx-swap-oob="true"><span class="sync-badge is-active">' in text
    assert text.count('hx-swap-oob="true"') == 1
    assert '<span id="run-state">' in page_of(users_client, run)


def test_a_cancelled_run_says_what_is_left_and_can_go_on(users_client: Client, make_run: MakeRun) -> None:
    run = make_run("cancelled", rows_expected=10)
    text = page_of(users_client, run)
    assert "4 rows are done, up to line 5; nothing after it." in text
    assert "6 rows are left." in text
    assert "Carry out the rest" in text
    users_client.post(reverse("run_resume", args=[run.pk]))
    assert SyncRun.objects.get(pk=run.pk).state == "queued"


def test_mails_in_doubt_are_listed_and_sent_again_by_a_button(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    keep_mails(run, "part", [Mail("kim@x.org", "Your account", "the password")])
    RunMail.objects.update(state="begun")
    assert "kim@x.org" in page_of(users_client, run)
    answer = users_client.post(reverse("run_mails", args=[run.pk]), follow=True)
    assert "The mails were sent." in answer.text
    assert "kim@x.org" not in answer.text
    assert [message.body for message in mail.outbox] == ["the password"]
    assert users_client.get(reverse("run_mails", args=[run.pk])).status_code == 405


def test_mails_of_a_run_that_one_may_not_see_are_not_sent(files_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    assert files_client.post(reverse("run_mails", args=[run.pk])).status_code == 404


def test_rows_lead_to_moodle_for_those_who_may_look_at_people_of_this_file_type(
    client_with: Callable[..., Client], make_run: MakeRun, site: MoodleSite
) -> None:
    client, search = client_with(), reverse("moodle_search")
    looks_at_cohorts, sees_users = (Role.OPERATOR, ["cohorts"]), (Role.VIEWER, ["users"])
    for role, file_types in (looks_at_cohorts, sees_users):
        RoleAssignment.objects.create(person=person_of(client), site=site, role=role, file_types=file_types)
    page = reverse("run", args=[make_run().pk])
    assert f"{search}?q=ann" not in client.get(page).text
    RoleAssignment.objects.filter(role=Role.OPERATOR).update(file_types=["cohorts", "users"])
    assert f"{search}?q=ann" in client.get(page).text


def test_options_of_a_run_are_told_in_the_words_of_the_form(users_client: Client, make_run: MakeRun) -> None:
    text = page_of(users_client, make_run(options={"allowrename": True, "absentscope": "none", "gone": "as it was"}))
    assert '<dd class="col-sm-8 mb-1">yes</dd>' in text
    assert '<dd class="col-sm-8 mb-1">None</dd>' in text
    assert "as it was" in text
