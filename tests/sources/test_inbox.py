"""Fetching from an inbox: a bucket and an SFTP folder, through django-storages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from django.core.files.storage import Storage, storages
from pytest_django import Settings

from sync.commandfiles.storage import inbox_names, inbox_storage
from sync.errors import CodedError
from sync.sources.guard import FetchRules
from sync.sources.inbox import Inbox
from tests.servers import PASSWORD
from tests.source_servers import USER, SftpServer, s3_server
from toolsync_site.storages import storage_from_url

FILE = b"username;firstname\nann;Ann\n"
RULES = FetchRules(frozenset(), max_bytes=1_000_000, seconds=10)


@pytest.fixture
def bucket(settings: Settings) -> Iterator[Storage]:
    with s3_server() as url:
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        client.create_bucket(Bucket="feeds")
        client.put_object(Bucket="feeds", Key="school/", Body=b"")
        client.put_object(Bucket="feeds", Key="school/out/", Body=b"")
        client.put_object(Bucket="feeds", Key="school/out/users.csv", Body=FILE)
        client.put_object(Bucket="feeds", Key="school/out/deeper/users.csv", Body=b"no")
        entry = storage_from_url(f"s3://key:secret@feeds/school?endpoint_url={url}&region_name=us-east-1")
        settings.STORAGES = {**settings.STORAGES, "inbox-school": entry}
        yield inbox_storage("school")


@pytest.fixture
def sftp_folder(settings: Settings, sftp: SftpServer, served: Path) -> Storage:
    (served / "out" / "users.csv").write_bytes(FILE)
    (served / "out" / "deeper").mkdir()
    entry = storage_from_url(f"sftp://{USER}:{PASSWORD}@localhost:{sftp.port}/")
    settings.STORAGES = {**settings.STORAGES, "inbox-school": entry}
    return storages["inbox-school"]


@pytest.mark.parametrize("kind", ["bucket", "sftp_folder"])
def test_files_are_listed_fetched_and_removed(kind: str, request: pytest.FixtureRequest) -> None:
    place = Inbox(request.getfixturevalue(kind), "/out/", RULES, "school")
    assert inbox_names() == ["school"]
    (entry,) = place.entries()
    out = io.BytesIO()
    place.copy(entry.name, out)
    place.remove(entry.name)
    assert place.entries() == []
    assert (entry.name, entry.size, out.getvalue()) == ("users.csv", len(FILE), FILE)


def test_a_file_that_may_not_be_deleted_is_said_to_stay(sftp_folder: Storage, sftp: SftpServer) -> None:
    sftp.may_delete = False
    place = Inbox(sftp_folder, "/out/", RULES, "school")
    with pytest.raises(CodedError) as refused:
        place.remove("users.csv")
    assert refused.value.code == "inbox_failed"
    assert [entry.name for entry in place.entries()] == ["users.csv"]
    # What is gone already is no trouble.
    sftp.may_delete = True
    place.remove("another.csv")


def test_what_is_too_large_and_what_is_not_there_is_told(bucket: Storage) -> None:
    with pytest.raises(CodedError) as too_large:
        Inbox(bucket, "/out/", FetchRules(frozenset(), 10, 10), "school").copy("users.csv", io.BytesIO())
    with pytest.raises(CodedError) as missing:
        Inbox(bucket, "/out/", RULES, "school").copy("nothing.csv", io.BytesIO())
    assert (too_large.value.code, missing.value.code) == ("remote_too_large", "inbox_failed")


def test_an_inbox_that_does_not_answer_is_told(settings: Settings) -> None:
    with s3_server() as url:
        entry = storage_from_url(f"s3://key:secret@missing/?endpoint_url={url}&region_name=us-east-1")
        settings.STORAGES = {**settings.STORAGES, "inbox-school": entry}
        with pytest.raises(CodedError) as refused:
            Inbox(inbox_storage("school"), "/", RULES, "school").entries()
    assert refused.value.code == "inbox_failed"
    assert "secret" not in str(refused.value)
