"""Tell whether a Moodle can be worked with, and whether its content is sound, in sentences."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError

from sync.errors import MoodleError
from sync.management.command import ToolSyncCommand
from sync.messages import text_of
from sync.models import MoodleSite
from sync.models.site import MAIN_SITE
from sync.moodle.courses.courses import Course, fetch_courses
from sync.moodle.db.database import MoodleDatabase, MoodleSession
from sync.moodle.files.file_pool import file_pool_of
from sync.moodle.integrity import connection_check
from sync.moodle.integrity.check import IntegrityFinding, IntegrityLevel
from sync.moodle.integrity.connection_check import check_connection
from sync.moodle.integrity.report import ContentReport, check_content
from sync.runs.connections import moodle_of

MARKS = {"ok": "ok      ", "note": "note    ", "warning": "warning ", "error": "ERROR   "}
EXIT_FAULTS, EXIT_UNKNOWN_COURSE = 1, 2


class Command(ToolSyncCommand):
    """manage.py checkmoodle.

    Exit status: 0 files can be carried out, and what was checked of the content is sound; 1 they can't, or it isn't, or there
    is no such site; 2 there is no such course, or the arguments are wrong
    """

    help = (
        "Check the connection to a Moodle: server, version, tables, rights, data folder; and, when asked to, that what is in "
        "its tables fits together. Writes nothing. Exit status: 0 well, 1 errors or faults found, 2 unknown course."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")
        parser.add_argument("--content", action="store_true", help="check the content of the whole site as well")
        parser.add_argument(
            "--course", action="append", default=[], metavar="SHORTNAME", dest="courses",
            help="check the content of this course only; may be given several times",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one object as the last line, for scripts")

    def handle(self, *, site: str, content: bool, courses: list[str], **options: Any) -> None:
        owner = MoodleSite.objects.filter(slug=site).first()
        if owner is None:
            raise CommandError(f"There is no site “{site}”.")
        try:
            moodle = moodle_of(owner)
        except MoodleError as error:
            raise CommandError(text_of(error.code, error.params)) from None
        try:
            findings = check_connection(moodle)
            for found in findings:
                self.stdout.write(MARKS[found.level] + text_of(found.code, found.params))
            is_well = all(found.level is not connection_check.ConnectionLevel.ERROR for found in findings)
            report = self._check_content(moodle, courses) if is_well and (content or courses) else None
        finally:
            moodle.dispose()
        is_sound = is_well and (report is None or not report.faults)
        if options["json"]:
            self.stdout.write(json.dumps(_summary(findings, report, is_sound=is_sound)))
        if not is_sound:
            sys.exit(EXIT_FAULTS)

    def _check_content(self, moodle: MoodleDatabase, shortnames: Sequence[str]) -> ContentReport:
        pool = file_pool_of(moodle.settings)
        try:
            with moodle.session() as session:
                report = check_content(session, _courses(session, shortnames), pool)
        except MoodleError as error:
            raise CommandError(text_of(error.code, error.params)) from None
        for finding in report.findings:
            self.stdout.write(f"{MARKS[finding.level]}{_place(finding)}: {text_of(finding.code)}")
        if pool is None:
            self.stdout.write(MARKS[IntegrityLevel.NOTE] + text_of("content_without_pool"))
        what = "the whole site" if not shortnames else _number(len(set(shortnames)), "course")
        notes = len(report.findings) - len(report.faults)
        findings = f"{_number(len(report.faults), 'fault')} and {_number(notes, 'note')}"
        mark = MARKS["error" if report.faults else "ok"]
        self.stdout.write(f"{mark}Content of {what}: {_number(report.made, 'check')} made, {findings} found.")
        return report


def _courses(session: MoodleSession, shortnames: Sequence[str]) -> list[Course]:
    found = fetch_courses(session, "shortname", shortnames)
    unknown = [shortname for shortname in shortnames if shortname not in found]
    if unknown:
        names = ", ".join(f"“{shortname}”" for shortname in unknown)
        raise CommandError(f"There is no course with the short name {names}.", returncode=EXIT_UNKNOWN_COURSE)
    return [course for shortname in found for course in found[shortname]]


def _place(finding: IntegrityFinding) -> str:
    ids = ", ".join(map(str, finding.ids)) + (" …" if finding.rows > len(finding.ids) else "")
    return f"{finding.table}, {_number(finding.rows, 'row')} (id {ids})"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _summary(
    connection: Sequence[connection_check.ConnectionFinding], report: ContentReport | None, *, is_sound: bool
) -> dict[str, Any]:
    content = None
    if report is not None:
        found = [{**finding._asdict(), "text": text_of(finding.code)} for finding in report.findings]
        content = {"checks": report.made, "faults": len(report.faults), "findings": found}
    findings = [{"level": f.level, "code": f.code, "text": text_of(f.code, f.params)} for f in connection]
    return {"sound": is_sound, "connection": findings, "content": content}
