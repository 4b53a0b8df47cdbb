"""The scope of a users file that is complete, and how many users it holds once the file is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.functional import cached_property

from sync.errors import CommandFileError
from sync.moodle.users.scopes import UsersOfScope, fetch_cohorts_by_prefix
from sync.moodle.users.users import SiteRules
from sync.processors.base.context import CreatedRows, ProcessorContext
from sync.processors.base.overlay import Table, is_temporary
from sync.processors.memberships.state import COHORT_MEMBERS, COHORTS
from sync.processors.users.options import AUTH, CREATED, AbsentUsersOptions
from sync.processors.users.state import USER_TABLE


class AbsentScope:
    """Users of an authentication method, members of the cohorts whose idnumbers begin with a text, or users whom we created."""

    def __init__(self, context: ProcessorContext, rules: SiteRules, table: Table, options: AbsentUsersOptions) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._records = context.records
        self._rules = rules
        self._table = table
        self._is_auth = options.absentscope == AUTH
        self._name = options.absentname.lower() if self._is_auth else options.absentname
        self._may_be_everybody = options.absentall
        self._is_created = options.absentscope == CREATED
        self._fault = options.fault()

    @cached_property
    def words(self) -> dict[str, Any]:
        """Return what names the scope in texts."""
        if self._is_created:
            return {"since": self._created.since, "hint": "absent_scope_created_users"}
        return {"name": self._name, "hint": "absent_scope_auth" if self._is_auth else "absent_scope_cohorts"}

    @property
    def _created(self) -> CreatedRows:
        return self._records.created(USER_TABLE)

    @property
    def users(self) -> UsersOfScope:
        """The users as Moodle has them."""
        if self._is_created:
            return UsersOfScope(self._moodle, self._rules, among=self._created.ids)
        if self._is_auth:
            return UsersOfScope(self._moodle, self._rules, auth=self._name)
        return UsersOfScope(self._moodle, self._rules, cohortids=self._cohortids)

    @property
    def _cohortids(self) -> frozenset[int]:
        return frozenset(fetch_cohorts_by_prefix(self._moodle, self._name))

    def check(self) -> None:
        """Raises: CommandFileError where the scope isn't named, is nobody, or is everybody. Queries: three"""
        if self._fault is not None:
            raise CommandFileError(self._fault.code, **self._fault.params)
        if self._is_created and not self._created.ids:
            raise CommandFileError("absent_created_nothing")
        count = self.users.count()
        if not count:
            raise CommandFileError("absent_scope_empty", **self.words)
        if not self._may_be_everybody and count == UsersOfScope(self._moodle, self._rules).count():
            raise CommandFileError("absent_scope_everybody", count=count, **self.words)

    def count(self) -> int:
        """Return how many users are in the scope: now, or once what was planned so far is carried out."""
        return self.users.count() + self._balance()

    def _balance(self) -> int:
        """Return by how many users the scope grows, or shrinks (a negative number), where chunks aren't carried out."""
        after: dict[int, bool] = dict.fromkeys(self._joined(), True)
        for userid, values in self._overlay.each_change(self._table):
            is_gone = values is None or bool(values["deleted"])
            if is_gone:
                after[userid] = False
            elif self._is_auth and values is not None:
                is_of_site = values["mnethostid"] == self._rules.mnethostid
                after[userid] = values["auth"] == self._name and is_of_site and userid not in self._rules.protected_ids
            elif self._is_created and values is not None and is_temporary(userid):
                after[userid] = values["mnethostid"] == self._rules.mnethostid
        before = self.users.fetch_ids_among([userid for userid in after if not is_temporary(userid)])
        return sum(after.values()) - len(before)

    def _joined(self) -> Iterator[int]:
        """Return the ids of users who would join a cohort of the scope."""
        if self._is_auth or self._is_created:
            return
        new = {
            cohortid
            for cohortid, values in self._overlay.each_change(COHORTS)
            if values is not None and (values["idnumber"] or "").startswith(self._name)
        }
        cohortids = self._cohortids | new
        for (cohortid, userid), membership in self._overlay.each_change(COHORT_MEMBERS):
            if membership is not None and cohortid in cohortids and userid not in self._rules.protected_ids:
                yield userid
