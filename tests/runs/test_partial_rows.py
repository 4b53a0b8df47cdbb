"""A row of which only a part was carried out: counted apart, said so, and in the tryback."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from sync.models import Notification, RunState
from sync.notifications.compose import payload_of, send_mail
from sync.notifications.services import RuleChoice, save_rule
from sync.values import Action, Change, Note, Outcome, partial_outcome
from tests.installation import Installation

HEADER = "username;firstname;lastname;email;department;course1;role1;enrol1;group1;cohortid\n"
ROWS = (
    "ann;Ann;Lee;;Sales;C1;student;manual;;\n"
    "new1;New;One;new1@x.org;;C99;student;manual;;\n"
    "new2;New;Two;new2@x.org;;C1;ghost;manual;;\n"
    "new3;New;Three;new3@x.org;;C1;student;;G1;\n"
    "new4;New;Four;new4@x.org;;;;;;No such cohort\n"
    "new5;New;Five;new5@x.org;;C1;student;manual;;\n"
    "new6;New;Six;no-address;;;;;;\n"
)
OPTIONS = {"primaryidentity": "username"}


def test_partial_rows_are_counted_apart_and_come_back(installation: Installation, client: Client) -> None:
    accounts = len(installation.moodle.rows("user"))
    run = installation.carry_out(
        "/users/in.csv", HEADER + ROWS + "ann;Ann;Lee;;Sales;C99;student;manual;;\n", **OPTIONS
    )

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert run.counts["created"] + run.partial_counts["created"] == len(installation.moodle.rows("user")) - accounts
    assert run.counts["partial"] == sum(run.partial_counts.values())
    report = installation.own_file(run, "report")
    assert "PARTIAL: new1: created, but not enrolled: column course1: There is no course" in report
    assert "PARTIAL: new3: created, but the group was left out: " in report
    assert "PARTIAL: new4: created, but not added to the cohort: " in report
    assert "REJECTED: " in report
    tryback = installation.own_file(run, "tryback").splitlines()
    assert [line.partition(";")[0] for line in tryback[1:]][:5] == ["new1", "new2", "new3", "new4", "new6"]


def test_a_mended_tryback_does_what_was_left_and_twice_is_harmless(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + ROWS.replace("no-address", "new6@x.org"), **OPTIONS)
    assert run.counts == {"updated": 1, "created": 2, "partial": 4}
    assert run.partial_counts == {"created": 4}
    before = installation.moodle.snapshot()
    again = installation.carry_out("/again.csv", HEADER + ROWS.replace("no-address", "new6@x.org"), **OPTIONS)
    assert again.counts == {"unchanged": 3, "rejected": 4}
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}

    mended = installation.own_file(run, "tryback")
    for wrong, right in (
        ("C99", "C1"),
        ("ghost", "student"),
        ("student;;G1", "student;manual;G1"),
        ("No such cohort", ""),
    ):
        mended = mended.replace(wrong, right)
    sent = installation.carry_out("/mended.csv", mended, **OPTIONS)
    assert sent.counts == {"updated": 3, "unchanged": 1}


def test_a_simulation_tells_the_same(installation: Installation) -> None:
    simulated = installation.carry_out("/in.csv", HEADER + ROWS, simulate=True, **OPTIONS)
    run = installation.carry_out("/in.csv", **OPTIONS)
    assert (simulated.counts, simulated.partial_counts) == (run.counts, run.partial_counts)


def test_the_shell_counts_them_and_ends_with_one(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + ROWS.splitlines(keepends=True)[1])
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("runsync", "users", str(tmp_path / "in.csv"), "--json", stdout=out)
    assert ended.value.code == 1
    summary = json.loads(out.getvalue().splitlines()[-1])
    assert (summary["state"], summary["counts"]["partial"], summary["counts"]["created"]) == (
        "completed_with_rejections", 1, 0,
    )  # fmt: skip
    assert summary["partial_counts"] == {"created": 1}
    assert summary["tryback"]
    assert "1 partial (1 created)" in out.getvalue()
    assert ": Completed in part\n" in out.getvalue()


def test_mails_webhooks_and_pages_tell_of_them(installation: Installation, admin_client: Client) -> None:
    save_rule(installation.site, "users", RuleChoice({"rejections": ["a@x.org"]}))
    run = installation.carry_out("/in.csv", HEADER + ROWS.splitlines(keepends=True)[1], **OPTIONS)
    notice = Notification.objects.get()
    told = payload_of(notice)["run"]
    assert (told["counts"], told["partial_counts"]) == ({"partial": 1}, {"created": 1})
    send_mail(notice)
    (sent,) = mail.outbox
    assert "1 row was carried out in part" in sent.subject
    assert "1 partial (1 created)" in sent.body
    page = admin_client.get(reverse("run", args=[run.pk])).text
    assert "created, but not enrolled: column course1: There is no course" in page
    assert f'href="/runs/{run.pk}/?show=partial#outcomes"' in page
    assert "(1 created)" in page
    assert "Completed in part" in page
    assert "Completed with rejections" not in page
    shown = admin_client.get(reverse("run_outcomes", args=[run.pk]), {"show": "partial"}).context["outcomes"]
    assert [outcome.line for outcome in shown.outcomes] == [2]


DONE = Outcome(
    7, Action.CREATED, "account_created", {}, "bob", (Change("x", "", "y"),), (Note("password_changed", {}),)
)
PROBLEMS = [Note("course_unknown", {"column": "course1"}), Note("role_unknown", {"column": "role2"})]


def test_the_first_problem_is_the_code_and_what_was_done_is_remembered() -> None:
    outcome = partial_outcome(DONE, PROBLEMS)
    assert (outcome.action, outcome.code, outcome.done) == (Action.PARTIAL, "course_unknown", Action.CREATED)
    assert [note.code for note in outcome.notes] == ["account_created", "role_unknown", "password_changed"]
    assert outcome.changes == DONE.changes


def test_where_nothing_was_done_the_row_is_rejected() -> None:
    outcome = partial_outcome(DONE._replace(action=Action.UNCHANGED, changes=()), PROBLEMS)
    assert (outcome.action, outcome.code, outcome.done) == (Action.REJECTED, "course_unknown", None)
