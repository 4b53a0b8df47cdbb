"""Tell whether the audit of a site is as ToolSync wrote it."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.audit.chain import begin_with_new_keys
from sync.audit.verify import Head, Verification, verify
from sync.errors import AuditNotLost, AuditUnavailable, StorageUnavailable
from sync.management.command import ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.models import MoodleSite

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Command(ToolSyncCommand):
    """manage.py verifyaudit.

    Exit status: 0 every byte is as it was written and no record is missing; 1 something is not, or the audit can't be read;
    3 there is no such site
    """

    help = (
        "Look at the whole audit of a site: every byte of every record, and whether one is missing, the last one included. "
        "Writes nothing. Prints the last record as NUMBER:HASH; kept elsewhere, and given with --expect later, it proves that "
        "nothing before it was taken away. Exit status: 0 well, 1 not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--expect", default="", metavar="NUMBER:HASH", help="a last record of before")
        parser.add_argument(
            "--new-keys", action="store_true", help="go on with new keys, when those of before are lost with the secret key that "
            "they were under: what was written until now can't be proved any more",
        )  # fmt: skip
        self.add_json(parser)

    def handle(self, *, site: str, expect: str, new_keys: bool, json: bool, **_chosen: Any) -> None:
        owner = site_of_slug(site)
        if new_keys:
            first = self._renew(owner)
            if json:
                self.print_json({"first_record": first})
            return
        try:
            found = verify(owner, _head_of(expect))
        except (AuditUnavailable, StorageUnavailable) as error:
            raise CommandError(text_of(error.code, error.params)) from None
        for fault in found.faults:
            self.stdout.write(text_of(fault.code, fault.params))
        self.stdout.write(f"{found.records} records, {found.erased} values about people erased on request.")
        if found.records:
            self.stdout.write(f"Last record: {found.head.sequence}:{found.head.hash}")
        if found.unproved:
            self.stdout.write(
                f"Records 1 to {found.unproved} were written under keys that are lost: nothing proves them."
            )
        if not found.faults:
            self.stdout.write("Every byte is as it was written, and no record is missing.")
        if json:
            self.print_json(_facts(found))
        if found.faults:
            sys.exit(1)

    def _renew(self, site: MoodleSite) -> int:
        try:
            first = begin_with_new_keys(site)
        except AuditNotLost:
            raise CommandError("The keys of the audit can be decrypted. Nothing was changed.") from None
        self.stdout.write(f"The audit goes on with record {first} under new keys.")
        return first


def _facts(found: Verification) -> dict[str, Any]:
    return {
        "sound": not found.faults,
        "records": found.records,
        "erased": found.erased,
        "unproved": found.unproved,
        "last": f"{found.head.sequence}:{found.head.hash}" if found.records else None,
        "faults": [{"code": fault.code, "text": text_of(fault.code, fault.params)} for fault in found.faults],
    }


def _head_of(text: str) -> Head | None:
    if not text:
        return None
    parts = _HEAD.fullmatch(text.strip())
    if parts is None:
        raise CommandError("--expect takes the number of a record and its hash, as this command prints them: 12:0af3…")
    return Head(int(parts[1]), parts[2])
