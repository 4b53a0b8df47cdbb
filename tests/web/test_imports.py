"""New import: a file is handed in, recognised, mapped and planned."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Copy
from sync.models import CommandFile, MoodleSite, ProcessorSettings, SavedMapping, SyncRun
from sync.runs.mappings import save_mapping
from sync.runs.rights import OPERATOR
from tests.web.conftest import USERS_CSV, MakeFile
from tests.web.import_form_reader import sent_by

NEW = "/imports/new/"


def hand_in(client: Client, content: bytes = USERS_CSV, name: str = "people.csv") -> Any:
    return client.post(NEW, {"upload": SimpleUploadedFile(name, content)})


def used(run: SyncRun) -> dict[str, Any]:
    """Return the mapping of a run."""
    assert run.mapping is not None
    return dict(run.mapping)


def page_of(answer: Any) -> Any:
    return answer.context["page"]


def test_a_file_is_kept_for_its_run_and_recognised(users_client: Client) -> None:
    answer = hand_in(users_client)
    file = CommandFile.objects.get()
    assert answer.headers["Location"] == reverse("import_file", args=[file.pk])
    assert (file.folder.startswith("/uploads/"), file.processor) == (True, "users")
    text = users_client.get(answer.headers["Location"]).text
    assert "99 % sure" in text
    assert "Secret-1" not in text


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4\n\0\0"])
def test_what_can_not_be_read_is_not_kept(users_client: Client, content: bytes) -> None:
    assert hand_in(users_client, content).context["form"].errors["upload"]
    assert not CommandFile.objects.exists()


def test_the_plan_is_a_simulation_with_the_options_of_the_page(users_client: Client) -> None:
    address = hand_in(users_client).headers["Location"]
    sent = sent_by(users_client.get(address).text) | {"do": "plan", "option_allowrename": "on"}
    answer = users_client.post(address, sent)
    run = SyncRun.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.pk])
    assert (run.simulate, run.processor, run.options["allowrename"]) == (True, "users", True)


def test_another_type_has_options_of_its_own_which_are_seen_first(client_with: Any) -> None:
    client = client_with("run_users", "run_users_suspend")
    address = hand_in(client).headers["Location"]
    sent = sent_by(client.get(address).text) | {"file_type": "users_suspend", "do": "plan"}
    answer = client.post(address, sent)
    assert (page_of(answer).key, SyncRun.objects.exists()) == ("users_suspend", False)
    # It doesn't know the passwords: nobody asked for that column to be passed over.
    assert page_of(answer).columns.mapping.left_out == ("password",)
    assert client.post(address, sent_by(answer.text) | {"do": "plan"}).status_code == 302
    assert (SyncRun.objects.get().processor, CommandFile.objects.get().processor) == ("users_suspend", "users_suspend")


def test_a_type_that_one_may_not_use_is_no_choice(users_client: Client) -> None:
    address = hand_in(users_client, b"username\nann\n").headers["Location"]
    page = users_client.post(address, {"file_type": "users_delete", "do": "plan"})
    assert (page.status_code, page.context["page"].key) == (200, "")
    assert not SyncRun.objects.exists()


def test_a_file_of_others_is_taken_for_its_own_type_only(client_with: Any, make_file: MakeFile) -> None:
    file = make_file()
    client = client_with("run_users", "run_users_suspend")
    page = client.get(reverse("import_file", args=[file.pk])).context["page"]
    assert [key for key, _label in page.type_form.fields["file_type"].choices] == ["", "users"]
    unknown = make_file("notes.txt", b"hello;there\n")
    assert client.get(reverse("import_file", args=[unknown.pk])).status_code == 404


FRENCH = (
    "Code;Nom;Prénom;Adresse électronique perso;Genre;Bureau;Mot de passe\n"
    "22001;Lovelace;Ada;ada@x.org;Femme;B1;Secret-77\n"
    "22002;Byron;;no-address;Homme;B2;Secret-78\n"
)


def mapped(client: Client, address: str, **chosen: str) -> Any:
    """Send the form of a page with other choices."""
    return client.post(address, sent_by(client.get(address).text) | chosen)


def test_columns_are_guessed_and_what_is_missing_is_asked_for(users_client: Client) -> None:
    address = hand_in(users_client, FRENCH.encode()).headers["Location"]
    answer = mapped(users_client, address, file_type="users")
    page = page_of(answer)
    assert [missing.name for missing in page.missing] == ["username"]
    assert [(row.name, row.choice.to) for row in page.column_rows][1:3] == [
        ("Nom", "lastname"),
        ("Prénom", "firstname"),
    ]
    assert "The file needs the column username." in answer.text
    assert "Secret-7" not in answer.text
    assert page.words == ["Prénom", "Adresse électronique perso"]
    sent = sent_by(answer.text)
    refused = users_client.post(address, sent | {"do": "plan"})
    assert (refused.status_code, SyncRun.objects.exists()) == (200, False)
    answer = users_client.post(address, sent | {"need_username": "0", "do": "plan"})
    run = SyncRun.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.pk])
    steps = {step["target"]: step.get("source") for step in used(run)["steps"]}
    assert (steps["username"], steps["lastname"], used(run)["name"]) == ("code", "nom", "")
    # Nobody else may see what stands there.
    assert steps["password"] == "mot de passe"


def choices(answer: Any) -> dict[str, str]:
    """Return what a person chooses for the columns of FRENCH."""
    sent = sent_by(answer.text)
    return sent | {
        "to_0": "username", "also_0": "idnumber", "to_3": "email", "to_4": "department", "words_4": "Femme = F\r\n* = X",
        "same_0": "city", "value_0": "Paris",
    }  # fmt: skip


def test_a_kept_mapping_is_chosen_by_itself_and_can_be_set_aside(users_client: Client) -> None:
    address = hand_in(users_client, FRENCH.encode()).headers["Location"]
    answer = mapped(users_client, address, file_type="users")
    answer = users_client.post(address, choices(answer) | {"do": "keep", "keep_name": "Scolarité"})
    assert "Kept as “Scolarité”, version 1." in answer.text

    second = hand_in(users_client, FRENCH.replace("22001", "22003").encode(), "next.csv").headers["Location"]
    assert CommandFile.objects.get(name="next.csv").processor == "users"
    answer = users_client.get(second)
    page = page_of(answer)
    assert (page.mapped.title, page.missing, page.found.names[-1]) == ("Scolarité (1)", [], "password")
    assert [cell.text for cell in page.found.rows[0].cells] == [
        "Paris",
        "22003",
        "22003",
        "Lovelace",
        "Ada",
        "ada@x.org",
        "F",
        "••••",
    ]

    without = users_client.post(second, sent_by(answer.text) | {"do": "without"})
    assert (page_of(without).mapped.title, [m.name for m in page_of(without).missing]) == (
        "", ["username", "firstname", "lastname"],
    )  # fmt: skip
    kept = SavedMapping.objects.get()
    users_client.post(reverse("mapping_switch", args=[kept.pk]))
    assert page_of(users_client.get(second)).mapped.title == ""
    assert "Use again" in users_client.get(reverse("mappings")).text


def test_the_page_of_the_file_type_knows_the_mapping_too(full_client: Client, make_file: MakeFile) -> None:
    file = make_file(
        "export.csv", "Identifiant;Nom;N° étudiant;Prénom;Autre\nann;Lee;1;Ann;x\n".encode(), by=full_client
    )
    assert file.processor == "users"
    text = full_client.get(reverse("tool_preview", args=["users"]), {"command_file": file.pk}).text
    assert "Apogée, Pégase: étudiants (1)" in text
    assert "can&#x27;t be used" not in text


def test_each_faulty_cell_is_marked_with_its_reason(users_client: Client) -> None:
    address = hand_in(users_client, FRENCH.encode()).headers["Location"]
    sent = choices(mapped(users_client, address, file_type="users"))
    page = page_of(users_client.post(address, sent))
    faulty = page.found.rows[1]
    faults = dict(zip(page.found.names, (cell.fault and cell.fault.code for cell in faulty.cells), strict=True))
    assert {name: code for name, code in faults.items() if code} == {
        "firstname": "cell_empty",
        "email": "value_not_email",
    }
    assert (page.found.faulty_rows, {row.name: row.faults for row in page.column_rows if row.faults}) == (
        1, {"Prénom": 1, "Adresse électronique perso": 1},
    )  # fmt: skip
    answer = users_client.post(address, sent | {"only_faulty": "on"}, headers={"HX-Request": "true"})
    assert [row.line for row in page_of(answer).found.rows] == [3]
    assert "<html" not in answer.text
    assert answer.text.count("sync-fault-said") == 2


def test_countries_and_time_zones_show_their_faults_without_moodle(users_client: Client) -> None:
    file = b"username;firstname;lastname;country;timezone\nann;Ann;Lee;fr;99\nbob;Bob;Kay;Frnace;Paris\n"
    page = page_of(users_client.get(hand_in(users_client, file).headers["Location"]))
    said = [[cell.fault.code for cell in row.cells if cell.fault] for row in page.found.rows]
    assert said == [[], ["country_unknown", "timezone_unknown"]]


@pytest.mark.parametrize(
    "crafted",
    [{"mapping": "{"}, {"mapping": "[1]"}, {"mapping": '{"steps": [{"step": "eval"}], "left_out": []}'}, {"to_3": "lastname"},
     {"to_6": "city"}, {"to_2": "shoesize"}, {"joined_1": "nowhere"}, {"same_0": "password", "value_0": "Welcome-1"}],
)  # fmt: skip
def test_what_can_not_be_mapped_is_said_and_makes_no_plan(users_client: Client, crafted: dict[str, str]) -> None:
    address = hand_in(users_client, FRENCH.encode()).headers["Location"]
    sent = choices(mapped(users_client, address, file_type="users")) | {"do": "plan"}
    answer = users_client.post(address, sent | crafted)
    assert answer.status_code == 200
    assert page_of(answer).trouble
    assert not SyncRun.objects.exists()


def test_four_hundred_columns_and_names_that_stand_there_twice(users_client: Client) -> None:
    names = ["username", "firstname", "lastname", "Code", "Code", *(f"Colonne {number}" for number in range(395))]
    content = f"{';'.join(names)}\n{';'.join(f'v{number}' for number in range(400))}\n".encode()
    address = hand_in(users_client, content).headers["Location"]
    answer = mapped(users_client, address, file_type="users")
    page = page_of(answer)
    assert (len(page.columns.pages), len(page.column_rows), page.trouble) == (10, 40, "")
    # No list of thousands in each of forty rows, and a column that was chosen stays in it.
    assert len(page.columns.keys) == 120
    joined = users_client.post(address, sent_by(answer.text) | {"to_4": "address", "joined_4": "colonne 394"})
    assert ("colonne 394", "Colonne 394") in page_of(joined).columns.keys
    answer = users_client.post(address, sent_by(answer.text) | {"to_4": "idnumber", "first_column": "360"})
    assert page_of(answer).column_rows[-1].name == "Colonne 394"
    users_client.post(address, sent_by(answer.text) | {"do": "plan"})
    assert used(SyncRun.objects.get())["steps"] == [{"step": "copy", "target": "idnumber", "source": "code (2)"}]


def test_options_that_matter_stand_first_and_stored_ones_are_marked(users_client: Client, site: MoodleSite) -> None:
    ProcessorSettings.objects.create(site=site, processor="users", values={"retryruns": 3, "protectemails": False})
    address = hand_in(users_client).headers["Location"]
    page = page_of(users_client.get(address))
    first = {option.field.name: option.is_stored for option in page.first_options}
    assert (first["option_retryruns"], first["option_protectemails"], first["option_primaryidentity"]) == (
        True,
        True,
        False,
    )
    assert "option_courseidentifier" not in first
    assert {"option_courseidentifier", "option_storereport"} <= {option.field.name for option in page.other_options}
    sent = sent_by(users_client.get(address).text) | {"option_retryruns": "5"}
    changed = page_of(users_client.post(address, sent)).first_options
    assert [option.field.name for option in changed if option.differs] == ["option_retryruns"]


def test_mappings_of_other_file_types_are_not_there(client_with: Any, site: MoodleSite) -> None:
    kept = save_mapping(
        site, "users_delete", "Departed", ColumnMapping((Copy("username", "login"),)), ["Login"], by=OPERATOR
    )  # fmt: skip
    client = client_with("run_users")
    assert "Departed" not in client.get(reverse("mappings")).text
    assert client.post(reverse("mapping_switch", args=[kept.pk])).status_code == 404
    kept.refresh_from_db()
    assert kept.is_used
