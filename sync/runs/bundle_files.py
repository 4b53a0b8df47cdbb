"""What a bundle leaves as a whole: one report over all its files, and a zip of their trybacks."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

from django.utils.translation import gettext as _

from sync.commandfiles import storage
from sync.guard.messages import total_texts
from sync.messages import text_of
from sync.models import Bundle, RunFile, SyncRun
from sync.outcomes.report import count_texts

_LINE = "=" * 78


def open_report(bundle: Bundle, runs: Sequence[SyncRun]) -> IO[bytes]:
    """Return the report: what became of each file, then the report of each. The caller closes it.

    Shape: runs: in order
    Raises: FileNotFoundError
    """
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile())
        out.write(_summary(bundle, runs).encode())
        for kept in _kept(runs, RunFile.Kind.REPORT):
            out.write(f"\n{_LINE}\n{kept.run.file_name}\n{_LINE}\n\n".encode())
            with storage.opened(kept.storage_key) as report:
                shutil.copyfileobj(report, out)
        out.seek(0)
        stack.pop_all()
    return out


def open_trybacks(runs: Sequence[SyncRun]) -> IO[bytes]:
    """Return the trybacks of all files as a zip, to be mended and handed in as a bundle again. The caller closes it.

    Raises: FileNotFoundError
    """
    names: set[str] = set()
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile())
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for kept in _kept(runs, RunFile.Kind.TRYBACK):
                name = kept.name if kept.name not in names else f"{kept.run_id}_{kept.name}"
                names.add(name)
                with storage.opened(kept.storage_key) as tryback, archive.open(name, "w") as packed:
                    shutil.copyfileobj(tryback, packed)
        out.seek(0)
        stack.pop_all()
    return out


def has_trybacks(runs: Sequence[SyncRun]) -> bool:
    """Whether rows of any file came back. Queries: one"""
    return RunFile.objects.filter(run__in=runs, kind=RunFile.Kind.TRYBACK).exists()


def _kept(runs: Sequence[SyncRun], kind: str) -> list[RunFile]:
    return list(RunFile.objects.filter(run__in=runs, kind=kind).select_related("run").order_by("run"))


def _summary(bundle: Bundle, runs: Sequence[SyncRun]) -> str:
    lines = [f"{bundle}: {bundle.name}", ""]
    for number, run in enumerate(runs, 1):
        lines.append(
            f"{number}. {run.file_name} ({run.processor}), {_('Run %(id)s') % {'id': run.pk}}: {run.state_label}"
        )
        lines += [f"   {text_of(run.error_code, run.error_params)}"] if run.error_code else []
        lines += [f"   {', '.join(texts)}" for texts in (count_texts(run.counts, run.partial_counts),) if texts]
        lines += [f"   {' · '.join(texts)}" for texts in (total_texts(run.totals),) if texts]
    return "\n".join(lines) + "\n"
