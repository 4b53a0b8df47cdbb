"""List the file types, or show one with its columns and options, and set options of it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from sync.columns.describe import describe_columns
from sync.errors import CodedError
from sync.management.command import ToolSyncCommand, site_of_slug
from sync.management.run_command import options_of, refusal
from sync.models import MoodleSite, ProcessorSettings
from sync.processors.base.processor import Processor
from sync.processors.registry import KEYS, REGISTRY
from sync.runs.options import changed_options, resolve_options
from sync.runs.services import save_settings


class Command(ToolSyncCommand):
    """manage.py filetypes [KEY]. Exit status: 0 done, 3 an option can't be set so."""

    help = (
        "List the file types, in the order in which files that arrive together are carried out; or show the columns and options "
        "of one, and set options of it for a site. Exit status: 0 done, 3 an option can't be set so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", nargs="?", choices=KEYS, metavar="KEY", help=f"file type: {', '.join(KEYS)}")
        self.add_site(parser)
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="set an option; may be given several times"
        )
        parser.add_argument(
            "--reset",
            action="append",
            default=[],
            metavar="NAME",
            help="as ToolSync has it; may be given several times",
        )
        self.add_json(parser)

    def handle(self, *, key: str | None, site: str, json: bool, **chosen: Any) -> None:
        owner = site_of_slug(site)
        if key is None:
            self._list(as_json=json)
            return
        processor = REGISTRY[key]
        try:
            if chosen["set"] or chosen["reset"]:
                _set(owner, processor, chosen["set"], chosen["reset"])
            values = resolve_options(owner, key)
        except CodedError as error:
            raise refusal(error) from None
        if json:
            columns = [column._asdict() for column in describe_columns(processor.columns)]
            self.print_json({**_facts(processor), "columns": columns, "options": dict(values)})
            return
        for column in describe_columns(processor.columns):
            self.stdout.write(f"{column.name}\t{'required' if column.required else ''}\t{column.values}")
        for name, value in values.items():
            self.stdout.write(f"{name}={value}")

    def _list(self, *, as_json: bool) -> None:
        told = [_facts(processor) for processor in REGISTRY.values()]
        if as_json:
            self.print_json(told)
            return
        for facts in told:
            self.stdout.write(f"{facts['type']}\t{facts['label']}\t{facts['default_filename']}")


def _set(site: MoodleSite, processor: type[Processor], pairs: list[str], reset: list[str]) -> None:
    """Keep options over those that are set. Raises: OptionError"""
    stored = ProcessorSettings.objects.filter(site=site, processor=processor.key).first()
    values = {**(stored.values if stored is not None else {}), **options_of(pairs)}
    defaults = dict(processor.options.resolve())
    for name in reset:
        # A name that there isn't is said by whoever keeps them.
        values[name] = defaults.get(name)
    cleaned = processor.options.resolve(values)
    save_settings(site=site, processor=processor.key, values=changed_options(processor.key, cleaned))


def _facts(processor: type[Processor]) -> dict[str, Any]:
    return {
        "type": processor.key,
        "label": str(processor.label),
        "summary": str(processor.summary),
        "default_filename": processor.default_filename,
        "headerless": processor.columns.headerless,
        "of_pictures": processor.columns.of_pictures,
    }
