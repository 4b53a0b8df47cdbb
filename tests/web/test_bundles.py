"""The pages of bundles: hand several files in, see what they would do, decide, follow them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.commandfiles import storage
from sync.models import Bundle, CommandFile, RunFile, RunState
from sync.runs import services
from tests.moodle_sites import MoodleSite as Moodle

USERS = b"username;firstname;lastname;email\nnora;Nora;New;nora@x.org\nnils;Nils;New;nils@x.org\n"
COHORTS = b"cname;cidnumber;userid\nFreshers;FRESH;nora\nFreshers;FRESH;nobody\n"

MakeClient = Callable[..., Client]


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return sqlite_site


@pytest.fixture
def clerk(client_with: MakeClient) -> Client:
    return client_with("run_users", "run_cohorts")


def zip_of(**files: bytes) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return SimpleUploadedFile("term.zip", packed.getvalue())


def hand_in(client: Client, *uploads: SimpleUploadedFile) -> str:
    return client.post(reverse("bundle_new"), {"uploads": list(uploads)}, follow=True).text


def planned(client: Client) -> Bundle:
    hand_in(client, zip_of(cohorts=COHORTS, userimport=USERS))
    bundle = Bundle.objects.get()
    services.execute_run(bundle.runs.order_by("pk")[0].pk)
    return bundle


def test_the_options_of_each_file_are_chosen_while_the_plan_waits(
    clerk: Client, admin_client: Client, moodle: Moodle
) -> None:
    hand_in(
        clerk,
        zip_of(cohorts_a=COHORTS, cohorts_b=COHORTS.replace(b"Freshers;FRESH", b"Others;OTHER"), userimport=USERS),
    )
    bundle = Bundle.objects.get()
    services.execute_run(bundle.runs.order_by("pk")[0].pk)
    users, first, second = bundle.runs.order_by("pk")
    assert second.plan is not None
    assert second.plan.counts == {"created": 1, "rejected": 1}
    address = reverse("bundle_options", args=[bundle.pk])
    assert address in clerk.get(reverse("bundle", args=[bundle.pk])).text
    page = clerk.get(address)
    forms = {run.pk: form for run, form in page.context["forms"]}
    assert list(forms) == [users.pk, first.pk, second.pk]
    sent = {field.html_name: field.value() for form in forms.values() for field in form if field.value()}
    # Of two files of one type, one has other options; what can't be is said, and nothing is planned.
    wrong = clerk.post(address, {**sent, f"run{second.pk}-option_absent": "perhaps"})
    assert (wrong.status_code, Bundle.objects.count()) == (200, 1)
    assert " open" in wrong.text
    assert "Only who asked" in admin_client.post(address, sent, follow=True).text

    sent.pop(f"run{second.pk}-option_autocreate", None)
    made_page = clerk.post(address, sent, follow=True)

    made = Bundle.objects.exclude(pk=bundle.pk).get()
    assert made_page.redirect_chain[-1][0] == reverse("bundle", args=[made.pk])
    bundle.refresh_from_db()
    assert {run.state for run in bundle.runs.all()} == {RunState.DECLINED}
    assert [run.options["autocreate"] for run in made.runs.order_by("pk")[1:]] == [True, False]
    services.execute_run(made.runs.order_by("pk")[0].pk)
    again = made.runs.order_by("-pk")[0]
    assert again.plan is not None
    assert again.plan.counts == {"rejected": 2}
    assert "waits for nobody" in clerk.post(address, sent, follow=True).text


def test_a_bundle_that_was_carried_out_is_undone_from_its_page(clerk: Client, moodle: Moodle) -> None:
    bundle = planned(clerk)
    address = reverse("bundle_undo", args=[bundle.pk])
    assert address not in clerk.get(reverse("bundle", args=[bundle.pk])).text
    assert "is still at work" in clerk.post(address, follow=True).text
    clerk.post(reverse("bundle_decide", args=[bundle.pk]), {"decision": "approve"})
    for run in bundle.runs.order_by("pk"):
        services.execute_run(run.pk)
    assert address in clerk.get(reverse("bundle", args=[bundle.pk])).text

    clerk.post(address)

    undone = Bundle.objects.latest("pk")
    services.execute_run(undone.runs.order_by("pk")[0].pk)
    page = clerk.get(reverse("bundle", args=[undone.pk])).text
    assert "Waits for your confirmation" in page
    assert "Other options" not in page
    assert moodle.rows("cohort", idnumber="FRESH")
    clerk.post(reverse("bundle_decide", args=[undone.pk]), {"decision": "approve"})
    for run in undone.runs.order_by("pk"):
        services.execute_run(run.pk)
    assert moodle.rows("cohort", idnumber="FRESH") == moodle.rows("user", username="nora") == []
    assert address not in clerk.get(reverse("bundle", args=[bundle.pk])).text


def test_a_zip_is_planned_confirmed_and_carried_out(clerk: Client, moodle: Moodle) -> None:
    bundle = planned(clerk)
    address = reverse("bundle", args=[bundle.pk])

    page = clerk.get(address).text
    assert page.index("userimport.csv") < page.index("cohorts.csv")
    assert "2 users would be created" in page
    assert "Waits for your confirmation" in page
    assert not moodle.rows("cohort", idnumber="FRESH")
    first, second = bundle.runs.order_by("pk")
    assert "decided on as a whole" in clerk.get(reverse("run", args=[first.pk])).text
    assert "Waits for the files" in clerk.get(reverse("run", args=[second.pk])).text

    clerk.post(reverse("bundle_decide", args=[bundle.pk]), {"decision": "approve", "reason": "start of term"})
    for run in bundle.runs.order_by("pk"):
        services.execute_run(run.pk)

    page = clerk.get(address).text
    assert "start of term" in page
    assert moodle.one("cohort", idnumber="FRESH")
    report = clerk.get(reverse("bundle_report", args=[bundle.pk])).getvalue().decode()
    assert report.index("userimport.csv") < report.index("cohorts.csv")
    assert "nobody" in report
    trybacks = clerk.get(reverse("bundle_trybacks", args=[bundle.pk])).getvalue()
    with zipfile.ZipFile(io.BytesIO(trybacks)) as archive:
        (name,) = (name for name in archive.namelist() if "cohorts" in name)
        assert b"nobody" in archive.read(name)
    for kept in RunFile.objects.filter(run__bundle=bundle):
        storage.delete(kept.storage_key)
    for gone in ("bundle_report", "bundle_trybacks"):
        assert clerk.get(reverse(gone, args=[bundle.pk])).status_code == 404


def test_several_files_are_a_bundle_too_and_declined_nothing_is_written(clerk: Client, moodle: Moodle) -> None:
    before = moodle.snapshot()
    hand_in(clerk, SimpleUploadedFile("cohorts.csv", COHORTS), SimpleUploadedFile("userimport.csv", USERS))
    bundle = Bundle.objects.get()
    services.execute_run(bundle.runs.order_by("pk")[0].pk)

    clerk.post(reverse("bundle_decide", args=[bundle.pk]), {"decision": "decline"})

    assert {run.state for run in bundle.runs.all()} == {RunState.DECLINED}
    assert moodle.diff(before, moodle.snapshot()) == {}


@pytest.mark.usefixtures("moodle")
def test_a_bundle_is_cancelled_on_its_page(clerk: Client) -> None:
    hand_in(clerk, zip_of(cohorts=COHORTS, userimport=USERS))
    bundle = Bundle.objects.get()
    assert (
        'hx-trigger="every 2s"' in clerk.get(reverse("bundle", args=[bundle.pk]), headers={"HX-Request": "true"}).text
    )
    clerk.post(reverse("bundle_cancel", args=[bundle.pk]))
    assert {run.state for run in bundle.runs.all()} == {RunState.CANCELLED}


@pytest.mark.parametrize(
    ("uploads", "said"),
    [
        ({"letter": b"Dear Nora\n", "cohorts": COHORTS}, "letter.csv"),
        (
            {"groups": b"courseid;name\nC1;A\n", "cohorts": COHORTS},
            "You may not run the file types of these files: groups.csv",
        ),
        ({}, "holds no command file"),
    ],
)
def test_what_is_refused_is_named_and_not_kept(clerk: Client, uploads: dict[str, bytes], said: str) -> None:
    page = hand_in(clerk, zip_of(**uploads))
    assert said in page
    assert "The files were not kept. Choose them again." in page
    assert not CommandFile.objects.exists()


def test_whoever_may_not_run_every_type_of_a_bundle_neither_sees_nor_decides_it(
    clerk: Client, client_with: MakeClient, moodle: Moodle
) -> None:
    bundle = planned(clerk)
    other = client_with("run_users", "approve_runs")
    first = bundle.runs.order_by("pk")[0]

    assert other.get(reverse("bundle", args=[bundle.pk])).status_code == 404
    assert reverse("bundle", args=[bundle.pk]) not in other.get(reverse("run", args=[first.pk])).text
    other.post(reverse("run_decide", args=[first.pk]), {"decision": "approve"})

    first.refresh_from_db()
    assert first.state == RunState.UNCONFIRMED
    assert not moodle.rows("cohort", idnumber="FRESH")
