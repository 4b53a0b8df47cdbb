"""List the mappings of columns, show one, keep a new version, use one or use it no more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.mappings.column_mapping import read_mapping
from sync.models import MoodleSite, SavedMapping
from sync.processors.registry import KEYS
from sync.runs.mappings import listed_mappings, save_mapping, switch_mapping
from sync.runs.options import find_processor
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py mappings. Exit status: 0 done, 2 what is chosen can't be a mapping, 3 there is none of this number."""

    help = (
        "List the mappings of columns, the last version first: number, file type, name, version, whether it is used. Or keep "
        "one as JSON says, with the fields that the API takes, use one, or use it no more. Exit status: 0 done, 2 what is "
        "chosen can't be a mapping, 3 there is none of this number."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--type", choices=KEYS, metavar="KEY", help="of one file type")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--keep", metavar="FILE", help="keep what this JSON says; - is standard input")
        what.add_argument("--use", type=int, metavar="NUMBER", help="read files of its header by it")
        what.add_argument("--drop", type=int, metavar="NUMBER", help="use it no more: the version before counts again")
        self.add_json(parser)

    def handle(self, *, site: str, keep: str | None, use: int | None, drop: int | None, **chosen: Any) -> None:
        owner = site_of_slug(site)
        number = use if use is not None else drop
        try:
            if keep is not None:
                found = [_kept(owner, keep)]
            elif number is not None:
                mapping = _mapping(owner, number)
                switch_mapping(mapping, is_used=use is not None, by=OPERATOR)
                found = [_mapping(owner, number)]
            else:
                keys = [chosen["type"]] if chosen["type"] else KEYS
                found = list(listed_mappings(owner, keys).order_by("-pk"))
        except CodedError as error:
            raise refusal(error) from None
        if chosen["json"]:
            self.print_json([_facts(mapping) for mapping in found])
            return
        for mapping in found:
            used = "used" if mapping.is_used else ""
            self.stdout.write(f"{mapping.pk}\t{mapping.processor}\t{mapping.name}\t{mapping.version}\t{used}")


def _kept(site: MoodleSite, name: str) -> SavedMapping:
    """Raises: CommandError, MappingError, OptionError"""
    from sync.api.mappings import NewMappingSerializer

    sent = checked(NewMappingSerializer, read_json(name))
    find_processor(sent["file_type"])
    mapping = read_mapping({"steps": sent.get("steps", []), "left_out": sent["left_out"]})
    return save_mapping(site, sent["file_type"], sent["name"], mapping, sent["header"], by=OPERATOR)


def _mapping(site: MoodleSite, number: int) -> SavedMapping:
    found = listed_mappings(site, KEYS).filter(pk=number).first()
    if found is None:
        raise CommandError(f"There is no mapping {number} of the site “{site.slug}”.", returncode=EXIT_OTHER)
    return found


def _facts(mapping: SavedMapping) -> dict[str, Any]:
    return {
        "mapping": mapping.pk,
        "type": mapping.processor,
        "name": mapping.name,
        "version": mapping.version,
        "used": mapping.is_used,
        "header": mapping.header,
        "steps": mapping.data.get("steps", []),
        "left_out": mapping.data.get("left_out", []),
        "created_at": mapping.created_at.isoformat(),
    }
