"""What scripts are told of runs."""

from __future__ import annotations

from typing import Any

from sync.commandfiles.storage import file_storage
from sync.models import RunFile, SyncRun
from sync.values import Action


def summary_of(run: SyncRun) -> dict[str, Any]:
    """Return what came of a run, for a script that waited for it."""
    places: dict[str, str | None] = {kept.kind: place_of(kept) for kept in run.files.all()}
    return {
        "run": run.pk,
        "state": run.state,
        "counts": {action.value: run.counts.get(action.value, 0) for action in Action},
        "report": places.get(RunFile.Kind.REPORT),
        "tryback": places.get(RunFile.Kind.TRYBACK),
        "archive": places.get(RunFile.Kind.ARCHIVE),
        "outcomes": places.get(RunFile.Kind.OUTCOMES),
        "partial_counts": run.partial_counts,
    }


def run_facts(run: SyncRun) -> dict[str, Any]:
    """Return everything that a list says of a run, and its summary."""
    return {
        **summary_of(run),
        "site": run.site.slug,
        "type": run.processor,
        "file": run.file_path,
        "sha256": run.file_sha256,
        "simulate": run.simulate,
        "origin": run.origin,
        "token": run.token_name,
        "owner": run.owner_name,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "rows_done": run.rows_done,
        "rows_expected": run.rows_expected,
        "error": run.error_code,
        "plan": run.plan_id,
        "undoes": run.undoes_id,
        "totals": run.planned_totals or run.totals,
    }


def file_facts(kept: RunFile) -> dict[str, Any]:
    """Return what a list says of a file that a run has left."""
    return {
        "run": kept.run_id,
        "kind": kept.kind,
        "name": kept.name,
        "size": kept.size,
        "place": place_of(kept),
        "created_at": kept.created_at.isoformat(),
    }


def place_of(kept: RunFile) -> str:
    """Return where the shell finds a file: its name on this machine, or its path in the file area, or its storage key."""
    try:
        return file_storage().path(kept.storage_key)
    except NotImplementedError:
        return kept.path or kept.storage_key
