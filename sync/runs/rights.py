"""In whose name something runs without a person, and whether that person still may.

Rights are asked twice: on the page where somebody does something, and again when the run begins, hours or months later.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from sync.errors import RightMissing
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.people.rights import EVERY, may
from sync.people.roles import run_permission

MANAGE_SOURCES = "sync.manage_sources"
MANAGE_FILES = "sync.manage_files"


class Responsible(NamedTuple):
    """The person in whose name something is done.

    Shape: user: None when the user was deleted, and for the operator of this installation, who has no name either
    """

    user: Any = None
    name: str = ""

    @classmethod
    def of(cls, user: Any) -> Self:
        """Return the person who is logged in; None stands for the operator, at a shell of this machine."""
        return cls() if user is None else cls(user, user.get_username())

    @property
    def is_operator(self) -> bool:
        return self.user is None and not self.name

    def may(self, *permissions: str, site: MoodleSite, processor: str = "") -> bool:
        """Whether the user is there, active, and has every one of these permissions. The operator may do anything.

        Shape: processor: for which file type, "" = for one at least
        """
        if self.is_operator:
            return True
        return self.user is not None and all(may(self.user, permission, site, processor) for permission in permissions)


OPERATOR = Responsible()


def may_replace(person: Responsible, file: CommandFile) -> bool:
    """Whether somebody may delete a file, or replace it: one of a file type whose files they manage, or their own."""
    if person.user is not None and file.uploaded_by_id == person.user.pk:
        return True
    return person.may(MANAGE_FILES, site=file.site, processor=file.processor or EVERY)


def owner_of(record: Any) -> Responsible:
    """Return the owner of a source, a schedule, a sequence run or a run."""
    return Responsible(record.owner, record.owner_name)


def armed_by_of(record: Any) -> Responsible:
    """Return who armed a file, or the file of a run."""
    return Responsible(record.armed_by, record.armed_by_name)


def check_owner(owner: Responsible, site: MoodleSite, processor: str) -> None:
    """Raises: RightMissing if somebody in whose name a file type is to run may not run it (any more)."""
    _check(owner, site, processor, "run_owner_without_right")


def check_run(run: SyncRun) -> None:
    """Ask for the rights of everybody in whose name a run is to begin. Raises: RightMissing"""
    check_owner(owner_of(run), run.site, run.processor)
    _check(armed_by_of(run), run.site, run.processor, "file_owner_without_right")


def _check(responsible: Responsible, site: MoodleSite, processor: str, code: str) -> None:
    if not responsible.may(run_permission(processor), site=site):
        raise RightMissing(code, name=responsible.name, processor=processor)
