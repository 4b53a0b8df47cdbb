"""`manage.py writedocs`: write docs/command-files/ from the declarations of the processors."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from sync.processors.registry import REGISTRY
from sync.runs.format_pages import format_index, format_page


class Command(BaseCommand):
    help = "Writes the generated documentation of the command files; with --check only says whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "docs" / "command-files"
        with override("en"):
            pages = {folder / f"{key}.md": format_page(processor) for key, processor in REGISTRY.items()}
            pages[folder / "index.md"] = format_index(REGISTRY.values())
        stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
        if check and stale:
            names = ", ".join(path.name for path in stale)
            raise CommandError(f"out of date: {names}. Run manage.py writedocs.")
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            for path in stale:
                path.write_text(pages[path])
            self.stdout.write(f"{len(stale)} of {len(pages)} pages written")
