"""Bundles with workbooks: the request keeps them, workers read them, and the page follows until there is a plan."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import readings
from sync.models import Bundle, BundleUpload, CommandFile, HealthRecord, MoodleSite, RunState, SyncRun, WorkbookReading
from sync.runs import services
from sync.runs.bundle_uploads import begin_bundle, follow_bundles
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import person_of
from tests.web.test_workbooks import COHORTS, USERS, Rows, book, web_server

__all__ = ["web_server"]

COHORTS_CSV = b"cname;cidnumber;userid\nFreshers;FRESH;ann\n"
Work = Callable[[], None]


@pytest.fixture
def clerk(client_with: Callable[..., Client]) -> Client:
    return client_with("run_users", "run_cohorts")


def zip_of(**files: bytes) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return SimpleUploadedFile("term.zip", packed.getvalue())


def workbook(name: str, **sheets: Rows) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, book(**sheets))


def hand_in(client: Client, *uploads: SimpleUploadedFile) -> str:
    return client.post(reverse("bundle_new"), {"uploads": list(uploads)}, follow=True).text


def page_of(client: Client, bundle: Bundle, **headers: str) -> str:
    return client.get(reverse("bundle", args=[bundle.pk]), headers=headers).text


def test_a_zip_with_workbooks_is_kept_read_and_planned_by_itself(
    clerk: Client, web_server: Work, sqlite_site: Moodle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    text = hand_in(clerk, zip_of(people__xlsx=book(a=USERS), cohorts__csv=COHORTS_CSV))
    bundle = Bundle.objects.get()
    assert "Workbooks are being read" in text
    assert "people.xlsx: is being read" in text
    assert "This page follows by itself." in text
    assert (bundle.state, bundle.runs.count(), CommandFile.objects.count()) == ("reading", 0, 2)
    asked = {"HX-Request": "true", "HX-Trigger": "being-read-1"}
    address = reverse("bundle", args=[bundle.pk])
    assert clerk.get(address, headers=asked).status_code == 204
    web_server()
    bundle.refresh_from_db()
    assert (bundle.state, bundle.processors) == ("planned", ["users", "cohorts"])
    assert not BundleUpload.objects.exists()
    assert [(run.state, run.requested_by) for run in bundle.runs.order_by("pk")] == [
        (RunState.QUEUED, person_of(clerk)), (RunState.PENDING, person_of(clerk)),
    ]  # fmt: skip
    part = clerk.get(address, headers=asked).text
    assert "<html" not in part
    assert "people.xlsx" in part
    # The worker that carries it out reads it once more.
    monkeypatch.undo()
    services.execute_run(bundle.runs.order_by("pk")[0].pk)
    assert "Waits for your confirmation" in page_of(clerk, bundle)
    assert bundle.runs.order_by("pk")[1].plan.counts == {"created": 1}  # type: ignore[union-attr]


def test_the_sheet_that_a_type_means_is_asked_for_by_itself(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", notes=[("just", "words")], groups=COHORTS))
    web_server()
    assert Bundle.objects.get().processors == ["cohorts"]
    assert WorkbookReading.objects.count() == 2


def test_a_page_that_follows_says_how_many_are_left(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("a.xlsx", a=USERS), workbook("b.xlsx", a=COHORTS))
    bundle = Bundle.objects.get()
    WorkbookReading.objects.filter(file__name="b.xlsx").update(state="read")
    text = page_of(clerk, bundle, **{"HX-Request": "true", "HX-Trigger": "being-read-2"})
    assert "b.xlsx: read" in text
    assert 'id="being-read-1"' in text
    HealthRecord.objects.all().delete()
    text = page_of(clerk, bundle, **{"HX-Request": "true", "HX-Trigger": "being-read-1"})
    assert "nobody reads them now. No worker takes any work" in text


def test_what_can_not_be_read_is_named_with_its_reason_and_nothing_is_kept(clerk: Client, web_server: Work) -> None:
    hand_in(
        clerk,
        SimpleUploadedFile("cut.xlsx", b"PK\x03\x04 cut off"),
        workbook("empty.xlsx", a=[]),
        workbook("good.xlsx", a=USERS),
        SimpleUploadedFile("cohorts.csv", COHORTS_CSV),
    )
    web_server()
    bundle = Bundle.objects.get()
    text = page_of(clerk, bundle)
    assert "Some of the files can&#x27;t be read" in text
    assert "cut.xlsx: The workbook is damaged or incomplete." in text
    assert "empty.xlsx: The file is empty" in text
    assert "good.xlsx:" not in text
    assert (bundle.state, bundle.runs.count(), CommandFile.objects.count()) == ("refused", 0, 0)
    assert not SyncRun.objects.exists()
    assert "Files can&#x27;t be used" in clerk.get(reverse("bundle_new")).text


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("just", "words")], "It can&#x27;t be told of what type these files are: in.xlsx"),
        ([("courseid", "name"), ("C1", "A")], "You may not run the file types of these files: in.xlsx"),
    ],
)
def test_a_workbook_that_is_no_file_for_this_person_is_refused_by_name(
    clerk: Client, web_server: Work, rows: Rows, said: str
) -> None:
    hand_in(clerk, workbook("in.xlsx", a=rows))
    web_server()
    assert said in page_of(clerk, Bundle.objects.get())
    assert not CommandFile.objects.exists()


def test_what_is_known_at_once_is_refused_at_once(clerk: Client) -> None:
    text = hand_in(clerk, workbook("in.xlsx", a=USERS), SimpleUploadedFile("letter.csv", b"Dear Nora\n"))
    assert "letter.csv" in text
    assert (Bundle.objects.count(), CommandFile.objects.count()) == (0, 0)


def test_it_is_cancelled_while_it_is_read(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    bundle = Bundle.objects.get()
    text = clerk.post(reverse("bundle_cancel", args=[bundle.pk]), follow=True).text
    assert "Cancelled before the workbooks were read." in text
    web_server()
    begin_bundle(bundle.pk)
    assert (SyncRun.objects.count(), CommandFile.objects.count()) == (0, 0)


def test_only_who_handed_it_in_sees_it_before_its_types_are_known(
    clerk: Client, client_with: Callable[..., Client], admin_client: Client, web_server: Work
) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    bundle = Bundle.objects.get()
    address = reverse("bundle", args=[bundle.pk])
    other = client_with("run_cohorts", "run_users", "manage_files")
    for client in (other, admin_client):
        assert client.get(address).status_code == 404
        assert client.post(reverse("bundle_cancel", args=[bundle.pk])).status_code == 404
        assert address not in client.get(reverse("bundle_new")).text
    for name in ("bundle_decide", "bundle_undo"):
        assert clerk.post(reverse(name, args=[bundle.pk])).status_code == 404
    for name in ("bundle_options", "bundle_report", "bundle_trybacks"):
        assert clerk.get(reverse(name, args=[bundle.pk])).status_code == 404
    web_server()
    assert other.get(address).status_code == 200


def test_who_lost_the_right_or_is_gone_has_no_plan_made(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    person_of(clerk).user_permissions.clear()
    web_server()
    first = Bundle.objects.get()
    assert (first.state, first.error_code) == ("refused", "bundle_without_right")


def test_a_user_who_is_deleted_meanwhile_is_not_taken_for_the_operator(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    person_of(clerk).delete()
    web_server()
    bundle = Bundle.objects.get()
    assert (bundle.state, bundle.error_code) == ("refused", "bundle_of_nobody")
    assert (SyncRun.objects.count(), CommandFile.objects.count()) == (0, 0)


def test_after_ten_minutes_the_page_stops_asking_and_the_bundle_still_goes_on(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    bundle = Bundle.objects.get()
    WorkbookReading.objects.update(asked_at=F("asked_at") - readings.WAITING_LIMIT - timedelta(seconds=1))
    text = page_of(clerk, bundle)
    assert "Nobody has read the workbooks so far." in text
    assert "every 1s" not in text
    begin_bundle(bundle.pk)
    assert Bundle.objects.get().state == "reading"
    text = clerk.post(reverse("bundle_read_again", args=[bundle.pk]), follow=True).text
    assert "every 1s" in text
    web_server()
    assert Bundle.objects.get().state == "planned"


def test_a_day_later_it_is_given_up_and_says_so(clerk: Client) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    follow_bundles()
    assert Bundle.objects.get().state == "reading"
    Bundle.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    follow_bundles()
    assert "No worker has read the workbooks within 24 hours." in page_of(clerk, Bundle.objects.get())
    assert not CommandFile.objects.exists()


def test_its_files_stay_while_it_waits(client_with: Callable[..., Client], web_server: Work) -> None:
    clerk = client_with("run_users", "manage_files")
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    file = CommandFile.objects.get()
    answer = clerk.post(reverse("file_delete", args=[file.pk]), follow=True)
    assert "still has to read" in answer.text
    web_server()
    assert Bundle.objects.get().state == "planned"


def test_a_file_that_is_lost_is_named(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS), SimpleUploadedFile("cohorts.csv", COHORTS_CSV))
    CommandFile.objects.filter(name="cohorts.csv").delete()
    web_server()
    assert "File cohorts.csv not found" in page_of(clerk, Bundle.objects.get())


def test_two_workers_that_end_at_once_make_one_plan(clerk: Client, web_server: Work) -> None:
    hand_in(clerk, workbook("in.xlsx", a=USERS))
    web_server()
    begin_bundle(Bundle.objects.get().pk)
    assert SyncRun.objects.count() == 1


def test_the_runs_are_in_the_language_of_the_person(clerk: Client, web_server: Work) -> None:
    clerk.post(reverse("bundle_new"), {"uploads": [workbook("in.xlsx", a=USERS)]}, headers={"Accept-Language": "fr"})
    web_server()
    assert SyncRun.objects.get().language == "fr"


def test_what_a_schedule_collects_is_no_page_before_it_has_a_file(clerk: Client, site: MoodleSite) -> None:
    bundle = Bundle.objects.create(site=site, name="night")
    assert clerk.get(reverse("bundle", args=[bundle.pk])).status_code == 404
    assert "night" not in clerk.get(reverse("bundle_new")).text
