"""List where the files of the file types come from, look what is there and what would be taken, or set it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.messages import text_of
from sync.models import MoodleSite, Source
from sync.processors.registry import KEYS
from sync.runs.source_settings import SourceChoice, save_source, source_of
from sync.schedules.source_preview import SourcePreview, preview_source


class Command(ToolSyncCommand):
    """manage.py sources [KEY]. Nothing is taken. Exit status: 0 done, 2 what is chosen can't be read, 3 it can't be set so."""

    help = (
        "List where the files of the file types come from; with a file type, look at its source: what is there, and what would "
        "be taken. Nothing is taken. With --put, set it: what is chosen is read as JSON, with the fields that the API takes: no "
        "secret stands in a command line. Exit status: 0 done, 2 the JSON can't be read, 3 it can't be set so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", nargs="?", choices=KEYS, metavar="KEY", help=f"look: {', '.join(KEYS)}")
        self.add_site(parser)
        parser.add_argument("--put", metavar="FILE", help="with KEY: set it as this JSON says; - is standard input")
        self.add_json(parser)

    def handle(self, *, key: str | None, site: str, put: str | None, json: bool, **_chosen: Any) -> None:
        owner = site_of_slug(site)
        if put is not None:
            if key is None:
                raise CommandError("Say of which file type the source is to be set.", returncode=EXIT_OTHER)
            self._put(owner, key, put, as_json=json)
            return
        if key is None:
            self._list(owner, as_json=json)
            return
        look = preview_source(owner, key)
        if json:
            self.print_json({**_facts(source_of(owner, key)), **_look_facts(look)})
            return
        for file in (*look.files, *look.dropped):
            size = "" if file.size < 0 else f"{file.size} bytes"
            self.stdout.write(f"{file.verdict.value}\t{file.name}\t{size}")
        for note in look.notes:
            self.stdout.write(text_of(note.code, note.params))

    def _put(self, site: MoodleSite, key: str, name: str, *, as_json: bool) -> None:
        from sync.api.schedules import SourceChoiceSerializer

        try:
            saved = save_source(site, key, SourceChoice(**checked(SourceChoiceSerializer, read_json(name))))
        except CodedError as error:
            raise refusal(error) from None
        if as_json:
            self.print_json(_facts(saved))
        else:
            self.stdout.write(f"{saved.processor}\t{saved.kind}\t{saved.location}")

    def _list(self, site: MoodleSite, *, as_json: bool) -> None:
        set_up = {source.processor: source for source in Source.objects.filter(site=site)}
        listed = [_facts(set_up.get(key) or Source(site=site, processor=key)) for key in KEYS]
        if as_json:
            self.print_json(listed)
            return
        for facts in listed:
            self.stdout.write(f"{facts['type']}\t{facts['kind']}\t{facts['location']}\t{facts['looked_at'] or ''}")


def _facts(source: Source) -> dict[str, Any]:
    """Return what may be shown of a source: nothing secret."""
    return {
        "type": source.processor,
        "kind": source.kind,
        "location": source.location,
        "inbox": source.inbox,
        "username": source.username,
        "take_all": source.take_all,
        "owner": source.owner_name,
        "looked_at": source.looked_at.isoformat() if source.looked_at else None,
    }


def _look_facts(look: SourcePreview) -> dict[str, Any]:
    return {
        "files": [{"name": file.name, "size": file.size, "verdict": file.verdict.value} for file in look.files],
        "dropped": [{"name": file.name, "size": file.size, "verdict": file.verdict.value} for file in look.dropped],
        "others": look.others,
        "notes": [{"code": note.code, "text": text_of(note.code, note.params)} for note in look.notes],
    }
