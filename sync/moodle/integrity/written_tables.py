"""Which tables of Moodle command files are written to, and the rights that the account of its database needs for that.

A course brings all tables of its content with it: they stand in the graph of the courses (`course_content/graph/graph.json`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.db.dialects import Capabilities
from sync.moodle.db.schema import WRITE_ORDER

RIGHTS = ("INSERT", "UPDATE", "DELETE")

# Beside the tables of the plans and of course content: what is written directly, by name. A test compares them with the code.
_DIRECTLY = frozenset(
    """
    auth_lti_linked_login auth_oauth2_linked_login badge block_instances block_positions cache_flags cohort comments
    communication_user competency_evidence competency_framework competency_plan competency_plancomp competency_template
    competency_usercomp competency_usercompcourse competency_usercompplan competency_userevidence
    competency_userevidencecomp config config_plugins context course course_categories customfield_data enrol_lti_users event
    event_subscriptions external_services_users external_tokens files files_reference filter_active filter_config
    forum_digests forum_read forum_subscriptions forum_track_prefs grade_grades_history grading_areas grading_definitions
    grading_instances h5p h5p_contents_libraries message_conversation_members message_conversations message_user_actions
    messages my_pages oauth2_refresh_token rating repository_instance_config repository_instances role_capabilities
    rest_api_tokens role_names sessions stored_progress tag tag_correlation tag_instance task_adhoc tool_cohortroles
    tool_monitor_subscriptions tool_recyclebin_category user_lastaccess user_password_history user_private_key
    """.split()  # noqa: SIM905 (read by people)
)


def written_tables(present: Iterable[str]) -> list[str]:
    """Return those of the tables that some file type may write to. Shape: present: names without prefix"""
    return sorted(possibly_written().intersection(present))


def possibly_written() -> frozenset[str]:
    """Return the tables that some file type may write to, whether a Moodle has them or not."""
    graph = load_graph()
    return frozenset((*_DIRECTLY, *WRITE_ORDER, *(name for name, table in graph.tables.items() if table.links)))


def grants(server: Capabilities, *, database: str, account: str, tables: Iterable[str]) -> Iterator[str]:
    """Return the statements that give an account what it needs, table by table.

    Shape: account: as the server writes it; tables: names with prefix
    """
    names = {"database": database, "account": account, "rights": ", ".join(RIGHTS)}
    yield from (statement.format(**names) for statement in server.grants)
    for table in tables:
        yield from (statement.format(table=table, **names) for statement in server.table_grants)
