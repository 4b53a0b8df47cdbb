"""Which group memberships are ours: those that ToolSync may take away again by itself.

Source: spec groups.md section 2, the rule table
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sync.moodle.db.database import MoodleSession
from sync.processors.base.context import Records
from sync.processors.base.overlay import Values, is_temporary
from sync.processors.memberships.state import GROUP_MEMBERS, MembershipState

TOOL_SYNC = "tool_sync"


def own_component(moodle: MoodleSession) -> str:
    """Return the component of memberships that are ours: the old plugin's name, only where Moodle knows the plugin."""
    return TOOL_SYNC if "version" in moodle.plugin_config(TOOL_SYNC) else ""


def recorded_memberships(records: Records, state: MembershipState) -> set[int]:
    """Return the ids of those memberships that an earlier run inserted."""
    rows = state.rows_of(GROUP_MEMBERS)
    free = [row["id"] for row in rows if row["component"] == "" and not is_temporary(row["id"])]
    return records.inserted_by_us(GROUP_MEMBERS.name, free)


def is_ours(membership: Values, recorded: AbstractSet[int]) -> bool:
    """Tell whether a membership is ours. Shape: recorded: ids of `recorded_memberships`"""
    if membership["component"] == TOOL_SYNC:
        return True
    # What this chunk makes, or an earlier one would have made, has no id of Moodle's.
    return membership["component"] == "" and (is_temporary(membership["id"]) or membership["id"] in recorded)
