"""The API does what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import copy
import io
from datetime import date, time, timedelta
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings as examples
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks
from urllib3 import HTTPResponse

from sync.api.schema import document
from sync.commandfiles.bundle_zip import HandedFile
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Copy
from sync.models import FreezeWindow, GraceEntry, ScopeLimits, SequenceRun
from sync.processors.registry import REGISTRY
from sync.runs.bundles import in_order, queue_bundle
from sync.runs.mappings import save_mapping
from sync.runs.rights import Responsible
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.api.conftest import Program
from tests.web.conftest import MakeFile, MakeRun, keep_run_file

# Of each operation so many requests that the document allows, and as many that it doesn't.
EXAMPLES = 3
# What is asked of Moodle, and there is none behind this installation, which is a 503 of the document.
OF_MOODLE = {
    "GET /api/v1/sites/{site}/exports/{file_type}",
    "POST /api/v1/sites/{site}/file-types/{file_type}/scope-limits",
    "PUT /api/v1/sites/{site}/file-types/{file_type}/scope-limits/{scope_id}",
}
FORMS = {"POST /api/v1/sites/{site}/files", "POST /api/v1/sites/{site}/bundles"}
USERS = b"username;firstname;lastname;email\nneo;Neo;One;n@example.org\n"
CHECKS: list[Any] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def ids(root: Program, make_file: MakeFile, make_run: MakeRun) -> dict[str, int]:
    """What there is behind the addresses. Shape: name of the parameter -> number"""
    file, run = make_file(), make_run()
    for kind in ("report", "tryback", "outcomes"):
        keep_run_file(run, kind)
    schedule = save_schedule(run.site, ScheduleChoice(["users"], at=time(2, 15)), owner=Responsible.of(root.person))
    sequence = SequenceRun.objects.create(site=run.site, processors=["users"])
    upload = root.post("uploads", {"name": "big.csv", "size": 10}).json()
    GraceEntry.objects.create(
        site=run.site, table="user", rowid=3, name="u", run=make_run("held", processor="users_delete"), line=2,
        day=date(2030, 1, 1),
    )  # fmt: skip
    bundle = queue_bundle(site=run.site, name="term.zip", files=in_order([HandedFile("users.csv", io.BytesIO(USERS))]))
    mapping = save_mapping(
        run.site,
        "users",
        "Ours",
        ColumnMapping((Copy("username", "login"),)),
        ["login"],
        by=Responsible.of(root.person),
    )
    return {
        "scope_id": ScopeLimits.objects.create(site=run.site, kind="category", name="1").pk,
        "window_id": FreezeWindow.objects.create(
            site=run.site, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1)
        ).pk,
        "bundle_id": bundle.pk, "mapping_id": mapping.pk,
        "file_id": file.pk, "run_id": run.pk, "schedule_id": schedule.pk, "sequence_id": sequence.pk,
        "upload_id": upload["id"],
    }  # fmt: skip


def bound(ids: dict[str, int]) -> dict[str, Any]:
    """Return the document with what there is in place of any number or name: else every answer would be a 404."""
    told = copy.deepcopy(document("en"))
    known: dict[str, list[Any]] = {
        "site": ["main"], "file_type": list(REGISTRY), "kind": ["report", "tryback", "outcomes", "archive"],
        **{name: [number, number + 1000] for name, number in ids.items()},
    }  # fmt: skip
    for operations in told["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    parameter["schema"] = {**parameter["schema"], "enum": known[parameter["name"]]}
    return told


def answer_to(case: Case, client: Client, secret: str) -> requests.Response:
    """Send a request of schemathesis by Django's own client, in the transaction of the test."""
    sent = case.as_transport_kwargs(base_url="http://testserver", headers={"Authorization": f"Bearer {secret}"})
    prepared = requests.Request(**sent).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    headers = {str(name): str(value) for name, value in prepared.headers.items()}
    kind = headers.pop("Content-Type", "application/octet-stream")
    headers.pop("Content-Length", None)
    told = client.generic(str(prepared.method), prepared.path_url, body, content_type=kind, headers=headers)
    answer = requests.Response()
    answer.status_code = told.status_code
    answer.headers.update(told.headers)
    content = io.BytesIO(told.getvalue() if told.streaming else told.content)
    answer.raw = HTTPResponse(content, dict(told.headers), told.status_code, preload_content=False)
    answer.request, answer.url = prepared, str(prepared.url)
    return answer


def test_no_request_gets_an_answer_that_the_document_doesnt_tell(root: Program, ids: dict[str, int]) -> None:
    schema = schemathesis.openapi.from_dict(bound(ids))
    client = Client(raise_request_exception=False)
    asked = 0
    failed: dict[str, str] = {}

    def ask(case: Case, wanted: list[Any]) -> None:
        nonlocal asked
        asked += 1
        with transaction.atomic():
            answer = answer_to(case, client, root.secret)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=wanted)

    def try_out(operation: Any, mode: GenerationMode, wanted: list[Any]) -> None:
        @examples(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(mode))
        def each(case: Case) -> None:
            ask(case, wanted)

        try:
            each()
        except FailureGroup as failure:
            failed[f"{operation.label} ({mode.value})"] = "; ".join(map(str, failure.exceptions))[:2000]

    for result in schema.get_all_operations():
        operation: Any = result.ok()
        is_of_moodle = operation.label in OF_MOODLE
        allowed = [check for check in CHECKS if not is_of_moodle or check is not not_a_server_error]
        try_out(operation, GenerationMode.POSITIVE, allowed)
        # A form can't say everything that JSON can: an empty field of it is none.
        is_form = operation.label in FORMS
        try_out(operation, GenerationMode.NEGATIVE, CHECKS if is_form else [*allowed, checks.negative_data_rejection])
    assert asked > 100
    assert not failed, failed


def test_every_code_of_a_problem_that_the_document_names_has_a_text() -> None:
    told = document("en")
    assert told["components"]["schemas"]["Problem"]["required"] == ["type", "title", "status", "code", "detail"]
    for address, operations in told["paths"].items():
        for method, operation in operations.items():
            assert {"4XX", "5XX"} <= operation["responses"].keys(), (address, method)
            assert operation["security"] == [{"token": []}], (address, method)
            assert operation["description"], (address, method)
