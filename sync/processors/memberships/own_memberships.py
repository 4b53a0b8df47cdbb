"""Which group memberships are ours: those that ToolSync may take away again by itself.

Source: spec groups.md section 2, the rule table
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sync.moodle.db.database import MoodleSession
from sync.processors.base.context import Records
from sync.processors.base.table_view import Values
from sync.processors.memberships.state import MembershipState

TOOL_SYNC = "tool_sync"
TABLE = "groups_members"


def own_component(moodle: MoodleSession) -> str:
    """Return the component of memberships that are ours: the old plugin's name, only where Moodle knows the plugin."""
    return TOOL_SYNC if "version" in moodle.plugin_config(TOOL_SYNC) else ""


def recorded_memberships(records: Records, state: MembershipState) -> set[int]:
    """Return the ids of those memberships that an earlier run inserted."""
    free = [row["id"] for row in state.rows.get(TABLE, {}).values() if row["component"] == "" and row["id"] > 0]
    return records.inserted_by_us(TABLE, free)


def is_ours(membership: Values, recorded: AbstractSet[int]) -> bool:
    """Tell whether a membership is ours. Shape: recorded: ids of `recorded_memberships`"""
    if membership["component"] == TOOL_SYNC:
        return True
    # What this run has made has no id of Moodle's, in a simulation a negative one.
    return membership["component"] == "" and (membership.get("id", 0) <= 0 or membership["id"] in recorded)
