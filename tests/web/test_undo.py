"""The page of a run: the button that undoes it, first as a simulation."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from sync.models import SyncRun
from sync.runs import services
from tests.installation import Installation
from tests.installation_fixture import installation

__all__ = ["installation"]

NEW_USERS = "username;firstname;lastname;email\nnew1;New;One;new1@x.org\nnew2;New;Two;new2@x.org\n"


def client_of(*permissions: str) -> Client:
    user = User.objects.create_user("undoer", password="x")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_first_what_undoing_would_do(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", NEW_USERS)
    client = client_of("run_users")
    assert reverse("run_undo", args=[run.pk]) in client.get(reverse("run", args=[run.pk])).text
    client.post(reverse("run_undo", args=[run.pk]))
    simulated = SyncRun.objects.get(undoes=run)
    assert simulated.simulate
    services.execute_run(simulated.pk)
    page = client.get(reverse("run", args=[simulated.pk])).text
    assert reverse("run_apply", args=[simulated.pk]) in page
    assert installation.moodle.rows("user", firstname="New")
    client.post(reverse("run_apply", args=[simulated.pk]))
    services.execute_run(SyncRun.objects.get(undoes=run, simulate=False).pk)
    assert installation.moodle.rows("user", firstname="New") == []
    page = client.get(reverse("run", args=[run.pk])).text
    assert reverse("run_undo", args=[run.pk]) not in page
    assert "Undone by" in page


def test_one_change_is_undone_from_the_page_of_a_user_first_as_a_simulation(
    installation: Installation, admin_client: Client
) -> None:
    run = installation.carry_out("/in.csv", NEW_USERS)
    new2 = installation.moodle.one("user", username="new2")["id"]
    address = reverse("run_undo", args=[run.pk])
    page = admin_client.get(reverse("moodle_user", args=[new2])).text
    assert f'action="{address}" data-once>' in page
    assert 'name="line" value="3"' in page
    assert admin_client.post(address, {"line": "x"}).status_code == 404
    admin_client.post(address, {"line": "3"})
    simulated = services.execute_run(SyncRun.objects.get(undoes=run).pk)
    assert (simulated.simulate, simulated.undoes_line) == (True, 3)
    assert "Only what it did for line 3 of its file." in admin_client.get(reverse("run", args=[simulated.pk])).text
    admin_client.post(reverse("run_apply", args=[simulated.pk]))
    services.execute_run(SyncRun.objects.get(undoes=run, simulate=False).pk)
    assert [row["username"] for row in installation.moodle.rows("user", firstname="New", deleted=0)] == ["new1"]
    assert "is undone already" in admin_client.post(address, {"line": "3"}, follow=True).text


def test_who_may_not_run_the_file_type_may_not_undo_it(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", NEW_USERS)
    assert client_of("run_cohorts").post(reverse("run_undo", args=[run.pk])).status_code == 404
    assert not SyncRun.objects.filter(undoes=run).exists()
