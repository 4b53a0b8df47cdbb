"""What the page of a run says of rows that are tried again."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from sync.models import Retry, RetryRow, SyncRun
from tests.web.conftest import MakeRun


def wait(run: SyncRun, *subjects: str, tries: int = 1, most: int = 3) -> Retry:
    retry = Retry.objects.create(
        run=run, site=run.site, processor=run.processor, tables=["user"], tries=tries, most=most, storage_key="x",
        seen_at=timezone.now(),
    )  # fmt: skip
    for line, subject in enumerate(subjects, start=2):
        RetryRow.objects.create(retry=retry, line=line, code="account_unknown", subject=subject)
    return retry


def test_the_page_says_how_many_rows_wait_and_until_when(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    retry = wait(run, "zoe", "<tom>", "kim")
    retry.rows.filter(subject="kim").update(is_replaced=True, replaced_by=run)

    page = " ".join(users_client.get(f"/runs/{run.pk}/").text.split())

    assert "2 rows wait for another try, until 2 more runs of this file type have ended." in page
    assert "line 2: zoe" in page
    assert "&lt;tom&gt;" in page
    assert "line 4: kim" not in page
    assert "1 row was brought again by a later file, which counts." in page


def test_long_lists_are_cut_and_counted(users_client: Client, make_run: MakeRun) -> None:
    run = make_run()
    wait(run, *(f"user{number}" for number in range(30)), tries=2)
    page = " ".join(users_client.get(f"/runs/{run.pk}/").text.split())
    assert "30 rows wait for another try, until 1 more run of this file type has ended." in page
    assert "user19" in page
    assert "user20" not in page


def test_both_runs_lead_to_each_other(users_client: Client, make_run: MakeRun) -> None:
    first, again = make_run(), make_run(origin="retry")
    retry = wait(first, "zoe")
    Retry.objects.filter(pk=retry.pk).update(state="tried", retry_run=again)
    page = users_client.get(f"/runs/{first.pk}/").text
    assert f'1 row was tried again by <a href="/runs/{again.pk}/">run {again.pk}</a>.' in page
    page = users_client.get(f"/runs/{again.pk}/").text
    assert f'Another try of rows of <a href="/runs/{first.pk}/">run {first.pk}</a>' in page


def test_a_try_that_was_declined_leads_to_the_tryback(users_client: Client, make_run: MakeRun) -> None:
    first, again = make_run(), make_run(origin="retry", state="declined")
    retry = wait(first, "zoe")
    Retry.objects.filter(pk=retry.pk).update(state="tried", retry_run=again)
    page = users_client.get(f"/runs/{first.pk}/").text
    assert f"run {again.pk}</a>, which did not reach its end (Declined)" in page
    assert "it is in the tryback of this run." in page


def test_rows_of_a_run_that_was_undone_and_mended_ones_are_said_not_to_wait(
    users_client: Client, make_run: MakeRun
) -> None:
    run = make_run()
    mended = make_run(mends=run)
    retry = wait(run, "zoe", "tom", "kim")
    retry.rows.filter(subject="kim").update(is_replaced=True, replaced_by=mended)
    Retry.objects.filter(pk=retry.pk).update(state="undone")
    page = " ".join(users_client.get(f"/runs/{run.pk}/").text.split())
    assert "2 rows do not wait for another try any more: the run that they come from was undone." in page
    assert "1 row was mended or left out since, and is not tried again as it was." in page
    assert "brought again" not in page


def test_a_run_without_such_rows_says_nothing(users_client: Client, make_run: MakeRun) -> None:
    main = users_client.get(f"/runs/{make_run().pk}/").text.partition("<main")[2]
    assert main
    assert "tried again" not in main
