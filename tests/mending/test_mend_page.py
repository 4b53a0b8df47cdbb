"""Failed rows are mended on a page: cells, suggestions, all that are alike, a draft, a check, and a run linked to the first."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Copy
from sync.mending import drafts, rows
from sync.mending.drafts import PURPOSE, load_draft
from sync.models import MendDraft, SyncRun
from sync.runs import services
from sync.runs.key_rotation import rotate_keys
from tests.installation import Installation

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    "username;firstname;lastname;email;country;course1;password\n"
    "ann;Ann;Lee;ann@x.org;FR;C1;Secret-11\n"
    "bob;Bob;Kay;bob.x.org;FR;C1;Secret-12\n"
    "cid;Cid;Moe;cid@x.org;Frnace;C1;Secret-13\n"
    "dan;Dan;Poe;dan@x.org;FR;C1x;Secret-14\n"
    "eva;Eva;Roe;eva@x.org;FR;C1x;Secret-15\n"
    "fay;Fay;Zoe;fay @x.org;FR;C1;Secret-16\n"
)
LINES = (3, 4, 5, 6, 7)
PLACE = {name: place for place, name in enumerate(FILE.splitlines()[0].split(";"))}
OPTIONS = {"primaryidentity": "username", "courseidentifier": "shortname"}


def name_of(line: int, column: str) -> str:
    return f"c-{line}-{PLACE[column]}"


class Mending:
    """The page of one run, in the browser of somebody."""

    def __init__(self, client: Client, run: SyncRun) -> None:
        self.client, self.run, self.url = client, run, reverse("run_mend", args=[run.pk])

    def page(self, **query: str) -> Any:
        return self.client.get(self.url, query).context["mend"]

    def send(self, do: str, cells: dict[str, str] | None = None, **more: Any) -> Any:
        lines = sorted({name.split("-")[1] for name in (cells or {})})
        return self.client.post(self.url, {"do": do, "line": lines, **(cells or {}), **more})

    def checked(self) -> SyncRun:
        """Check the draft, and carry the simulation out as a worker would."""
        self.send("check")
        return services.execute_run(SyncRun.objects.latest("pk").pk)


@pytest.fixture
def mending(installation: Installation, admin_client: Client) -> Mending:
    return Mending(admin_client, installation.carry_out("/in.csv", FILE, **OPTIONS))


def test_the_grid_shows_each_fault_at_its_cell_with_what_was_meant(mending: Mending) -> None:
    page = mending.page()
    assert [(group.column, [row.line for row in group.rows]) for group in page.groups] == [
        ("email", [3, 7]), ("country", [4]), ("course1", [5, 6]),
    ]  # fmt: skip
    faults = {
        (row.line, cell.column): (cell.alike, cell.suggestions)
        for row in page.grid
        for cell in row.cells
        if cell.reason
    }
    assert faults[3, "email"] == (1, ())
    assert faults[4, "country"][1][0] == "FR"
    assert (faults[5, "course1"], faults[6, "course1"]) == ((2, ("C1",)), (0, ()))
    assert [cell.column for cell in page.groups[1].rows[0].cells][:2] == ["country", "username"]
    assert faults[7, "email"] == (1, ("fay@x.org",))
    text = mending.client.get(mending.url).text
    assert "Secret-1" not in text
    assert "There is no course with the shortname “C1x”" in text


def test_all_that_are_alike_are_those_that_nobody_has_decided_about(mending: Mending) -> None:
    assert {row.line: cell.alike for row in mending.page().grid for cell in row.cells if cell.column == "course1"}[
        5
    ] == 2
    mending.send("", {name_of(6, "course1"): "C2"})
    assert {row.line: cell.alike for row in mending.page().grid for cell in row.cells if cell.column == "course1"}[
        5
    ] == 1
    mending.send("alike:5:5:C1")
    draft = load_draft(mending.run, User.objects.get())
    assert draft.edits == {5: {5: "C1"}, 6: {5: "C2"}}
    mending.send("", {name_of(6, "course1"): "C1x"}, **{"out-6": "on"})
    mending.send("alike:5:5:C3", {name_of(6, "course1"): "C1x"}, **{"out-6": "on"})
    draft = load_draft(mending.run, User.objects.get())
    assert (draft.edits, draft.left_out) == ({5: {5: "C3"}}, {6})


def test_rows_are_mended_checked_and_applied_as_a_run_linked_to_the_first(
    mending: Mending, installation: Installation
) -> None:
    mending.send("use:4:4:FR", {name_of(3, "email"): "bob@x.org", name_of(6, "course1"): "C1x"})
    mending.send("alike:5:5:C1")
    draft = load_draft(mending.run, User.objects.get())
    assert draft.edits == {3: {3: "bob@x.org"}, 4: {4: "FR"}, 5: {5: "C1"}, 6: {5: "C1"}}

    check = mending.checked()
    assert (check.simulate, check.mends_id, check.counts) == (True, mending.run.pk, check.counts)
    page = mending.page()
    assert [row.line for row in page.left] == [7]
    assert [row.line for row in page.grid] == [7], "what is left"
    assert len(mending.page(show="all").grid) == len(LINES)
    assert mending.send("apply", {name_of(7, "email"): "fay@x.org"}).status_code == 302
    assert not SyncRun.objects.filter(plan=check).exists(), "a row was changed since the check"

    check = mending.checked()
    assert mending.page().left == []
    mending.send("apply")
    applied = services.execute_run(SyncRun.objects.get(plan=check).pk)

    assert (applied.mends_id, applied.state, applied.rows_done) == (mending.run.pk, "completed", len(LINES))
    assert sorted(row["username"] for row in installation.moodle.rows("user", country="FR"))[-6:] == [
        "ann", "bob", "cid", "dan", "eva", "fay",
    ]  # fmt: skip
    assert not MendDraft.objects.exists()
    assert f"run {applied.pk}" in mending.client.get(mending.url).text
    kin = [relative.kin for relative in mending.client.get(reverse("run", args=[applied.pk])).context["family"]]
    assert kin == ["run", "mend_plan", "mend_plan", "mend"]


def test_only_these_rows_are_sent_byte_for_byte_but_for_what_was_changed(
    mending: Mending, installation: Installation
) -> None:
    mending.send(
        "save", {name_of(3, "email"): 'b"o;b@x.org', name_of(5, "course1"): "C1"}, **{"out-5": "1", "line": [3, 5]}
    )
    check = mending.checked()
    sent = installation.read(check.file_path).decode().splitlines()
    assert [line.split(";_")[0].split(";3;")[0] for line in sent[2:3]] == ['bob;Bob;Kay;"b""o;b@x.org";FR;C1;Secret-12']
    assert [line.partition(";")[0] for line in sent[2:]] == ["bob", "cid", "eva", "fay"]
    assert "_mended_" in check.file_path


def test_a_simulation_is_mended_as_well(installation: Installation, admin_client: Client) -> None:
    run = installation.carry_out("/in.csv", FILE, simulate=True, **OPTIONS)
    mending = Mending(admin_client, run)
    mending.send("save", {name_of(3, "email"): "bob@x.org"})
    check = mending.checked()
    assert check.counts["created"] == 1
    assert {row.line for row in mending.page().left} == {4, 5, 6, 7}


def test_rows_of_a_mapped_file_are_mended_in_its_own_columns(installation: Installation, admin_client: Client) -> None:
    steps = (
        Copy("email", "courriel"), Copy("username", "login"), Copy("idnumber", "login"), Copy("lastname", "nom"),
        Copy("firstname", "prénom"),
    )  # fmt: skip
    queued = installation.queue(
        "/in.csv", "Fax;Login;Nom;Prénom;Courriel\n1;ann;Lee;Ann;ann@x.org\n2;bob;Kay;Bob;bob.x.org\n", **OPTIONS
    )
    SyncRun.objects.filter(pk=queued.pk).update(mapping=ColumnMapping(steps, ("fax",)).data())
    mending = Mending(admin_client, services.execute_run(queued.pk))
    assert "Courriel" in mending.client.get(mending.url).text
    mending.send("save", {"c-3-4": "bob@x.org"})
    assert mending.checked().counts == {"created": 1}
    mending.send("apply")
    applied = services.execute_run(SyncRun.objects.latest("pk").pk)
    assert applied.counts == {"created": 1}
    assert installation.moodle.one("user", username="bob")["email"] == "bob@x.org"


def test_mended_rows_are_never_a_complete_file(installation: Installation, admin_client: Client) -> None:
    for name in ("fay", "gus"):
        installation.moodle.insert(
            "user", auth="ldap", confirmed=1, mnethostid=1, username=name, firstname="First", lastname="Last"
        )
    scope = {"absentscope": "auth", "absentname": "ldap", "absent": "suspend"}
    run = installation.carry_out("/in.csv", FILE + "gus;Gus;Noe;gus@x.org;FR;C1;Secret-17\n", **OPTIONS, **scope)
    check = Mending(admin_client, run).checked()
    assert check.options["absent"] == "suspend"
    assert not [kind for kind in check.totals if kind.endswith(("suspended", "deleted"))]


def test_a_draft_is_kept_encrypted_for_its_person_and_survives_another_key(
    mending: Mending, settings: Any, users_client: Client
) -> None:
    answer = mending.client.post(
        mending.url, {"line": [3], name_of(3, "password"): "New-Secret-1"}, headers={"X-Draft": "1"}
    )
    assert answer.status_code == 204
    assert b"New-Secret" not in bytes(MendDraft.objects.get().sealed)
    text = mending.client.get(mending.url).text
    assert "New-Secret" not in text
    assert 'placeholder="changed"' in text
    assert 'placeholder="changed"' not in users_client.get(mending.url).text
    assert mending.client.post(mending.url, {"line": [3], name_of(3, "password"): ""}).status_code == 302
    settings.TOOLSYNC_CREDENTIALS_KEY_FALLBACKS = [settings.TOOLSYNC_CREDENTIALS_KEY]
    settings.TOOLSYNC_CREDENTIALS_KEY = "another-key-another-key-another-key"
    assert rotate_keys().unreadable == ()
    assert load_draft(mending.run, User.objects.get(username="admin")).edits == {3: {PLACE["password"]: "New-Secret-1"}}
    assert PURPOSE


def test_a_change_that_is_taken_back_is_none_and_a_draft_can_be_discarded(mending: Mending) -> None:
    mending.send("save", {name_of(3, "email"): "bob@x.org"})
    mending.send("save", {name_of(3, "email"): "bob.x.org"})
    assert load_draft(mending.run, User.objects.get()).edits == {}
    mending.send("discard")
    assert not MendDraft.objects.exists()


def test_what_was_changed_in_another_tab_stays(mending: Mending) -> None:
    def fields() -> dict[str, str]:
        """Return what a tab sends that was opened now."""
        page = mending.page()
        sent = {cell.name: cell.text for row in page.grid for cell in row.cells}
        return sent | {f"out-{row.line}": "1" for row in page.grid if row.state == "left_out"} | {"shown": page.shown}

    def send(cells: dict[str, str], **changed: str) -> None:
        mending.client.post(mending.url, {"do": "save", "line": list(map(str, LINES)), **cells, **changed})

    stale = fields()
    long = "x" * 300
    send(stale, **{name_of(3, "email"): "bob@x.org", name_of(4, "lastname"): long, name_of(5, "password"): "Other-1"})
    send(fields(), **{"out-6": "1"})
    left = fields()
    send(stale, **{name_of(4, "country"): "FR"})
    draft = load_draft(mending.run, User.objects.get())
    assert draft.edits == {
        3: {PLACE["email"]: "bob@x.org"}, 4: {PLACE["lastname"]: long, PLACE["country"]: "FR"},
        5: {PLACE["password"]: "Other-1"},
    }  # fmt: skip
    assert draft.left_out == {6}
    del left["out-6"]
    send(left, **{name_of(3, "email"): "bob.x.org", name_of(4, "lastname"): "Moe"})
    draft = load_draft(mending.run, User.objects.get())
    assert (set(draft.edits), draft.left_out) == ({4, 5}, set())


@pytest.mark.parametrize("shown", ["", "[", "[]", "[" * 100_000, '{"c-3-0": {"a": []}, "out-3": [1]}'])
def test_a_page_that_says_nonsense_of_what_it_has_shown_is_taken_as_one_that_says_nothing(
    mending: Mending, shown: str
) -> None:
    sent = {"do": "save", "line": list(map(str, LINES)), "shown": shown, name_of(3, "email"): "bob@x.org"}

    assert mending.client.post(mending.url, sent).status_code < 400
    assert load_draft(mending.run, User.objects.get()).edits == {3: {PLACE["email"]: "bob@x.org"}}


def test_cells_that_are_sent_back_as_they_were_are_no_change(installation: Installation, admin_client: Client) -> None:
    """A browser sends the text of a field without its line ends."""
    content = FILE.replace("bob;Bob;Kay", 'bob;"B\no  b";Kay')
    mending = Mending(admin_client, installation.carry_out("/in.csv", content, **OPTIONS))
    line = mending.page().groups[0].rows[0].line
    as_sent = {f"c-{line}-{PLACE['firstname']}": "Bo  b", f"c-{line}-{PLACE['lastname']}": "Kay"}
    mending.send("save", as_sent)
    assert load_draft(mending.run, User.objects.get()).edits == {}
    name = f"c-{line}-{PLACE['firstname']}"
    mending.send("save", {name: "Bo  bo"})
    assert load_draft(mending.run, User.objects.get()).edits == {line: {PLACE["firstname"]: "Bo  bo"}}
    mending.send("save", {name: "Bo  b"})
    assert load_draft(mending.run, User.objects.get()).edits == {}


def test_what_the_encoding_of_the_file_lacks_is_said(installation: Installation, admin_client: Client) -> None:
    content = FILE.replace("Kay", "Käy").encode("cp1252")
    mending = Mending(admin_client, installation.carry_out("/in.csv", content, **OPTIONS))
    mending.send("save", {name_of(3, "lastname"): "Łuk"})
    answer = mending.client.post(mending.url, {"do": "check"}, follow=True)
    assert "“Łuk” can&#x27;t be written in the encoding of the file" in answer.text
    assert not SyncRun.objects.filter(mends=mending.run).exists()


@pytest.mark.parametrize(
    ("limit", "said"), [("MOST_ROWS", "are mended here"), ("MOST_BYTES", "too much for this page")]
)
def test_more_than_fits_is_a_sentence(mending: Mending, monkeypatch: pytest.MonkeyPatch, limit: str, said: str) -> None:
    monkeypatch.setattr(rows, limit, 1)
    answer = mending.client.get(mending.url, follow=True)
    assert answer.status_code == 200
    assert said in answer.text


def test_what_no_page_takes_is_not_offered(mending: Mending, monkeypatch: pytest.MonkeyPatch) -> None:
    run_url = reverse("run", args=[mending.run.pk])
    assert mending.url in mending.client.get(run_url).text

    monkeypatch.setattr(rows, "MOST_ROWS", 1)
    text = mending.client.get(run_url).text

    assert mending.url not in text
    assert "rows are mended in the page. Mend these where the file comes from, or in the tryback." in text
    assert mending.url not in mending.client.get(reverse("home")).text


def test_a_draft_has_a_limit_and_keeps_what_it_was_beyond_it(mending: Mending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFT_BYTES", 4 << 10)
    mending.send("save", {name_of(3, "email"): "bob@x.org"})
    kept = load_draft(mending.run, User.objects.get()).edits
    large = {name_of(line, "firstname"): "ö" * 700 for line in (4, 5, 6)}

    answer = mending.client.post(mending.url, {"do": "save", "line": LINES, **large}, follow=True)
    assert "The changed cells hold more than" in answer.text
    assert load_draft(mending.run, User.objects.get()).edits == kept == {3: {3: "bob@x.org"}}
    by_itself = mending.client.post(mending.url, {"line": LINES, **large}, headers={"X-Draft": "1"})
    assert (by_itself.status_code, by_itself.text[:17]) == (413, "The changed cells")
    assert b"The changed cells" not in mending.client.get(mending.url).content
    mending.send("save", dict.fromkeys(large, "ö" * 500))
    assert len(load_draft(mending.run, User.objects.get()).edits) == 4


def test_a_text_that_is_too_long_is_not_cut(mending: Mending) -> None:
    answer = mending.client.post(
        mending.url, {"do": "use:3:1:" + "x" * 10_001, "line": ["3"]}, headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Redirect"].startswith(mending.url)
    assert "A cell takes at most 10" in mending.client.get(mending.url).text
    assert load_draft(mending.run, User.objects.get()).edits == {}


def test_rows_that_are_gone_are_a_sentence(mending: Mending, installation: Installation) -> None:
    for file in mending.run.files.filter(kind="tryback"):
        file.delete()
    installation.put("/in.csv", FILE.replace("ann", "amy"))
    answer = mending.client.get(mending.url, follow=True)
    assert "The failed rows of run" in answer.text


@pytest.mark.parametrize(
    "sent",
    [
        {"line": ["x", "9" * 50, "99"]}, {"do": "use:99:1:x"}, {"do": "alike::"}, {"do": "use:3:99:x"}, {"do": "use:3:6:x"},
        {"do": "nothing"}, {"line": ["3"], "c-3-99": "x", "c-99-3": "y", "out-99": "1"}, {"do": "apply"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_changes_nothing(mending: Mending, sent: dict[str, Any]) -> None:
    assert mending.client.post(mending.url, sent).status_code == 302
    assert load_draft(mending.run, User.objects.get()).edits == {}


def test_runs_without_failed_rows_and_of_others_are_not_there(
    installation: Installation, admin_client: Client, files_client: Client
) -> None:
    good = installation.carry_out(
        "/good.csv", FILE.splitlines(keepends=True)[0] + "zed;Zed;Last;zed@x.org;FR;;Secret-1\n"
    )
    assert admin_client.get(reverse("run_mend", args=[good.pk])).status_code == 404
    assert files_client.get(reverse("run_mend", args=[good.pk])).status_code == 404
