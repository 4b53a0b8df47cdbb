"""The rights that are printed for the account of a Moodle database."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from tests.installation import Installation


def printed(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("moodlegrants", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("server", ["mariadb", "mysql"])
def test_the_grants_are_printed_table_by_table(installation: Installation, server: str) -> None:
    lines = printed("--server", server)
    assert lines[0].startswith("GRANT SELECT ON `")
    assert lines[0].endswith(".* TO 'toolsync'@'%';")
    assert any(line.startswith("GRANT INSERT, UPDATE, DELETE ON `") and "`.`mdl_user` TO " in line for line in lines)
    assert len(lines) > 102
    assert not any("mdl_config_log" in line for line in lines)


def test_the_words_are_those_of_the_server_and_the_tables_those_of_a_release(installation: Installation) -> None:
    lines = printed("--server", "postgresql", "--release", "5.1", "--account", "sync")
    assert "GRANT USAGE ON SCHEMA public TO sync;" in lines
    assert "GRANT INSERT, UPDATE, DELETE ON mdl_cohort TO sync;" in lines
    assert "GRANT USAGE, SELECT ON SEQUENCE mdl_cohort_id_seq TO sync;" in lines


def test_a_server_without_accounts_and_a_site_that_is_not_there_are_told(installation: Installation) -> None:
    with pytest.raises(CommandError, match="--server"):
        printed()
    with pytest.raises(CommandError, match="no site"):
        printed("--site", "none")
