"""Files by the API: whole, in pieces, read with ETags; what may not be handed in, and the same request twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.commandfiles.chunked_uploads import sweep_chunked_uploads
from sync.models import ChunkedUpload, CommandFile, KeptAnswer, SyncRun
from sync.people.tokens import forget_answers
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.web.conftest import USERS_CSV, MakeFile


def hand_in(program: Program, content: bytes = USERS_CSV, name: str = "in.csv", key: str = "", **fields: str) -> Any:
    """Return the answer to a file that is sent as a form."""
    headers = {"Authorization": f"Bearer {program.secret}", **({"Idempotency-Key": key} if key else {})}
    form = {"file": SimpleUploadedFile(name, content), **fields}
    return Client().post(f"{program.base}/files", form, headers=headers)


def test_a_file_is_handed_in_and_read_again(root: Program) -> None:
    answer = hand_in(root, folder="/sis/")
    assert answer.status_code == 201
    told = answer.json()
    assert (told["path"], told["file_type"], told["uploaded_by"]) == ("/sis/in.csv", "users", root.person.username)
    assert root.get(answer["Location"]).json() == told
    content = root.get(told["content"])
    assert content.getvalue() == USERS_CSV
    assert content["Content-Disposition"].startswith("attachment")
    assert content["ETag"] == f'"{told["sha256"]}"'
    assert root.get(told["content"], If_None_Match=content["ETag"]).status_code == 304
    assert root.ask("DELETE", answer["Location"]).status_code == 204
    problem_of(root.get(answer["Location"]), 404, "not_found")


def test_a_file_for_a_type_lies_apart(program: MakeProgram) -> None:
    asking = program("operator", "plan", "read", file_types=("users",))
    assert hand_in(asking, file_type="users").json()["path"].startswith("/uploads/")
    problem_of(hand_in(asking, file_type="courses"), 404, "not_found")
    problem_of(hand_in(asking, file_type="users", folder="/x/"), 400, "file_place_twice")


def test_who_may_not_hand_in_leaves_nothing(program: MakeProgram, settings: Settings) -> None:
    problem_of(hand_in(program("viewer")), 403, "permission_missing")
    problem_of(hand_in(program("operator", "read")), 403, "scope_missing")
    asking = program("operator")
    problem_of(hand_in(asking, folder="/uploads/"), 403, "folder_reserved")
    problem_of(hand_in(asking, more="1"), 400, "body_invalid")
    settings.TOOLSYNC_MAX_UPLOAD_MB = 1
    problem_of(hand_in(asking, b"x" * 2_000_000), 413, "body_too_large")
    problem_of(hand_in(asking, b"x" * 1_010_000), 413, "file_too_large")
    problem_of(asking.post("files", {"file": "in.csv"}), 415, "media_type_wrong")
    assert not CommandFile.objects.exists()


def test_nobody_replaces_or_reads_what_isnt_theirs(root: Program, program: MakeProgram) -> None:
    theirs = hand_in(root).json()
    asking = program("operator", file_types=("courses",))
    problem_of(asking.get(f"files/{theirs['id']}"), 404, "not_found")
    problem_of(asking.get(f"files/{theirs['id']}/content"), 404, "not_found")
    problem_of(hand_in(asking, b"shortname;fullname\n"), 409, "file_exists")
    problem_of(hand_in(asking, b"shortname;fullname\n", replace="true"), 403, "file_of_others")
    assert asking.get("files").json()["results"] == []


def test_files_are_listed_by_pages(root: Program, make_file: MakeFile) -> None:
    for number in range(5):
        make_file(f"in{number}.csv")
    pages, address = [], "files?limit=2&folder=/"
    while address:
        told = root.get(address).json()
        pages.append([file["name"] for file in told["results"]])
        address = told["next"]
    assert pages == [["in4.csv", "in3.csv"], ["in2.csv", "in1.csv"], ["in0.csv"]]
    assert root.get("files?name=in3.csv&file_type=users").json()["results"][0]["name"] == "in3.csv"
    problem_of(root.get("files?cursor=x"), 400, "query_invalid")
    problem_of(root.get("files?limit=201"), 400, "query_invalid")
    assert problem_of(root.get("files?nam=x"), 400, "query_invalid")["errors"][0]["code"] == "field_unknown"


def test_the_same_request_twice_is_done_once(root: Program) -> None:
    first, again = hand_in(root, key="a-1", folder="/a/"), hand_in(root, key="a-1", folder="/a/")
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    problem_of(hand_in(root, b"other;content\n", key="a-1", folder="/a/"), 422, "idempotency_key_reused")
    problem_of(hand_in(root, key="a-1", folder="/b/"), 422, "idempotency_key_reused")
    problem_of(hand_in(root, key="two words"), 400, "idempotency_key_wrong")
    assert CommandFile.objects.count() == 1
    file = first.json()["id"]
    plans = [root.post("plans", {"file": file}, Idempotency_Key="p-1") for _try in range(2)]
    assert plans[0].json() == plans[1].json()
    problem_of(root.post("runs", {"file": file}, Idempotency_Key="p-1"), 422, "idempotency_key_reused")
    assert SyncRun.objects.count() == 1


def test_what_was_refused_may_be_sent_again(root: Program) -> None:
    problem_of(root.post("plans", {"file": 1}, Idempotency_Key="k"), 404, "not_found")
    file = hand_in(root).json()["id"]
    assert root.post("plans", {"file": file}, Idempotency_Key="k").status_code == 202


def test_a_request_that_is_at_work_is_not_done_twice(root: Program) -> None:
    file = hand_in(root).json()["id"]
    root.post("plans", {"file": file}, Idempotency_Key="k")
    KeptAnswer.objects.update(status=0)
    problem_of(root.post("plans", {"file": file}, Idempotency_Key="k"), 409, "idempotency_in_progress")
    KeptAnswer.objects.update(claimed_at=timezone.now() - timedelta(minutes=11))
    assert root.post("plans", {"file": file}, Idempotency_Key="k").status_code == 202
    KeptAnswer.objects.update(claimed_at=timezone.now() - timedelta(days=2))
    forget_answers()
    assert not KeptAnswer.objects.exists()


def begin(program: Program, **fields: Any) -> str:
    answer = program.post("uploads", {"name": "big.csv", "size": len(USERS_CSV), **fields})
    assert answer.status_code == 201, answer.content
    address: str = answer["Location"]
    return address


def test_a_large_file_arrives_in_pieces(root: Program) -> None:
    address = begin(root, file_type="users")
    for offset in (0, 0, 20, 40):
        answer = root.ask("PATCH", address, USERS_CSV[offset : offset + 20], Upload_Offset=str(offset))
        assert answer["Upload-Offset"] == str(offset + 20)
    assert answer.json()["file"] is None
    told = root.ask("PATCH", address, USERS_CSV[60:], Upload_Offset="60").json()
    assert root.get(told["file"]["content"]).getvalue() == USERS_CSV
    again = root.ask("PATCH", address, USERS_CSV[60:], Upload_Offset="60").json()
    assert again["file"]["id"] == told["file"]["id"]
    assert CommandFile.objects.count() == 1
    upload = ChunkedUpload.objects.get()
    assert upload.parts == []
    assert storage.names_in(f"main/uploads/{upload.pk}") == ([], [])


@pytest.mark.parametrize(
    ("offset", "piece", "status", "code"),
    [
        ("20", b"x", 409, "upload_offset_wrong"),
        ("0", b"x" * 100_000, 422, "upload_too_long"),
        ("-1", b"x", 400, "upload_offset_missing"),
        ("", b"x", 400, "upload_offset_missing"),
        ("٣", b"x", 400, "upload_offset_missing"),
        ("0", b"x" * 16_000_001, 413, "body_too_large"),
    ],
)
def test_pieces_that_dont_fit(offset: str, piece: bytes, status: int, code: str, root: Program) -> None:
    address = begin(root)
    if offset == "٣":
        offset = offset.encode().decode("latin-1")
    problem_of(root.ask("PATCH", address, piece, Upload_Offset=offset), status, code)
    assert root.get(address).json()["offset"] == 0


def test_what_arrives_otherwise_than_announced_isnt_kept(root: Program) -> None:
    address = begin(root, sha256="0" * 64)
    problem_of(root.ask("PATCH", address, USERS_CSV, Upload_Offset="0"), 422, "upload_altered")
    problem_of(root.get(address), 404, "not_found")
    assert not CommandFile.objects.exists()
    assert storage.names_in("main/uploads") == ([], [])


def test_uploads_are_of_who_began_them_and_end(root: Program, program: MakeProgram) -> None:
    address = begin(root)
    root.ask("PATCH", address, USERS_CSV[:10], Upload_Offset="0")
    other = program()
    problem_of(other.get(address), 404, "not_found")
    problem_of(other.ask("PATCH", address, USERS_CSV[10:], Upload_Offset="10"), 404, "not_found")
    second = begin(root)
    assert root.ask("DELETE", second).status_code == 204
    assert sweep_chunked_uploads() == 0
    ChunkedUpload.objects.update(changed_at=timezone.now() - timedelta(days=2))
    assert sweep_chunked_uploads() == 1
    problem_of(root.get(address), 404, "not_found")


def test_uploads_that_cant_be(root: Program, program: MakeProgram) -> None:
    problem_of(root.post("uploads", {"name": "../x", "size": 1}), 422, "file_name_character")
    problem_of(root.post("uploads", {"name": "x.csv", "size": 2**39}), 413, "file_too_large")
    problem_of(root.post("uploads", {"name": "x.csv", "size": -1}), 400, "body_invalid")
    problem_of(program("viewer").post("uploads", {"name": "x.csv", "size": 1}), 403, "permission_missing")
    assert not ChunkedUpload.objects.exists()
