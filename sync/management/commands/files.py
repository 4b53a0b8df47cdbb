"""List the command files that are kept for a site, put one there, read one, or delete one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from shutil import copyfileobj
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import CommandError

from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file
from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import opened_file
from sync.models import CommandFile, MoodleSite
from sync.processors.registry import KEYS
from sync.runs.services import receive_for_run, receive_upload


class Command(ToolSyncCommand):
    """manage.py files. Exit status: 0 done, 2 the file can't be taken or deleted, 3 anything else."""

    help = (
        "List the command files that are kept for a site, the last one first: number, type, size, path. Or put a file of this "
        "machine there, write one to standard output, or delete one that no run needs any more. Exit status: 0 done, 2 the file "
        "can't be taken or deleted, 3 anything else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--add", metavar="FILE", help="put a file of this machine there")
        what.add_argument("--get", type=int, metavar="NUMBER", help="write one to standard output, as it came")
        what.add_argument("--delete", type=int, metavar="NUMBER", help="delete one")
        parser.add_argument("--type", choices=KEYS, metavar="KEY", help="of one file type; with --add, for runs of it")
        parser.add_argument("--folder", default="", help="of one folder; with --add, into it (default: /)")
        parser.add_argument("--replace", action="store_true", help="with --add: in place of the one of this path")
        parser.add_argument("--most", type=int, default=50, help="so many at most (default: %(default)s)")
        self.add_json(parser)

    def handle(self, *, site: str, add: str | None, get: int | None, delete: int | None, **chosen: Any) -> None:
        owner = site_of_slug(site)
        try:
            if get is not None:
                self._write(_file(owner, get))
                return
            if delete is not None:
                file = _file(owner, delete)
                delete_file(file)
                self._say([{**_facts(file), "file": delete}], as_json=chosen["json"])
                return
            found = [_added(owner, add, chosen)] if add is not None else _listed(owner, chosen)
        except CodedError as error:
            raise refusal(error) from None
        self._say([_facts(file) for file in found], as_json=chosen["json"])

    def _say(self, told: list[dict[str, Any]], *, as_json: bool) -> None:
        if as_json:
            self.print_json(told)
            return
        for facts in told:
            self.stdout.write(f"{facts['file']}\t{facts['type']}\t{facts['size']}\t{facts['path']}")

    def _write(self, file: CommandFile) -> None:
        try:
            with storage.opened(storage.key_of_path(file.site.slug, file.path)) as content:
                self.write_bytes(content, copyfileobj)
        except FileNotFoundError:
            raise CommandError(f"{file.path} isn't kept any more.", returncode=EXIT_OTHER) from None


def _listed(site: MoodleSite, chosen: dict[str, Any]) -> list[CommandFile]:
    files = CommandFile.objects.filter(site=site).select_related("site").order_by("-pk")
    files = files.filter(processor=chosen["type"]) if chosen["type"] else files
    files = files.filter(folder=chosen["folder"]) if chosen["folder"] else files
    return list(files[: max(0, chosen["most"])])


def _added(site: MoodleSite, name: str, chosen: dict[str, Any]) -> CommandFile:
    """Raises: CommandFileError, CommandError"""
    if chosen["type"] and (chosen["folder"] or chosen["replace"]):
        said = "A file with a type goes into a folder of its own: --type, or --folder and --replace, not both."
        raise CommandError(said, returncode=EXIT_OTHER)
    with opened_file(name) as content:
        if chosen["type"]:
            return receive_for_run(site, content, Path(name).name, chosen["type"], None)
        handed = UploadedFile(content, Path(name).name)
        return receive_upload(
            site=site, uploaded_file=handed, folder=chosen["folder"] or "/", user=None, replace=chosen["replace"]
        )


def _file(site: MoodleSite, number: int) -> CommandFile:
    found = CommandFile.objects.select_related("site").filter(site=site, pk=number).first()
    if found is None:
        raise CommandError(f"There is no file {number} of the site “{site.slug}”.", returncode=EXIT_OTHER)
    return found


def _facts(file: CommandFile) -> dict[str, Any]:
    return {
        "file": file.pk,
        "type": file.processor,
        "path": file.path,
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "uploaded_at": file.uploaded_at.isoformat(),
    }
