"""manage.py undorun."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from tests.installation import Installation

NEW_USERS = "username;firstname;lastname;email\nnew1;New;One;new1@x.org\nnew2;New;Two;new2@x.org\n"


def test_the_command_undoes_and_says_why_not(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", NEW_USERS)
    out = io.StringIO()
    call_command("undorun", str(run.pk), "--simulate", stdout=out)
    assert installation.moodle.rows("user", firstname="New")
    call_command("undorun", str(run.pk), "--json", stdout=out)
    assert '"state": "completed"' in out.getvalue()
    assert installation.moodle.rows("user", firstname="New") == []
    for number in (run.pk, 99_999):
        with pytest.raises(CommandError) as refused:
            call_command("undorun", str(number))
        assert refused.value.returncode == 3
