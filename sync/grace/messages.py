"""Texts about the list of deletions."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "grace_entry_taken": _(
        "It is not on the list any more, or a run is about to delete it or to take it off. Look at the list again."
    ),
}
