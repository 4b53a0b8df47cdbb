"""The cohorts that the rows of a chunk may mean; one that a row makes is found by the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sync.moodle.cohorts.cohorts import Cohort
from sync.moodle.db.identifiers import is_id
from sync.processors.memberships.memory import PlannedCohort
from sync.processors.memberships.state import MembershipState
from sync.values import Note

AnyCohort = Cohort | PlannedCohort

# Source: Moodle table cohort, columns name and idnumber
MAX_NAME = 254
MAX_IDNUMBER = 100


class CohortBook:
    """Finds cohorts by id, idnumber or name, as the server would."""

    def __init__(self, state: MembershipState) -> None:
        self._fold = state.fold_cohort
        self._cohorts: dict[object, AnyCohort] = {}
        self._indexes: dict[str, dict[str, dict[object, AnyCohort]]] = {"id": {}, "idnumber": {}, "name": {}}
        for cohort in state.cohorts:
            self.keep(cohort)

    def find(self, identifier: str, text: str) -> list[AnyCohort]:
        """Return the cohorts that a text names; those spelled exactly so, if there are any. Shape: as "id", "name" """
        found = list(self._indexes[identifier].get(self._key(identifier, text), {}).values())
        exact = [cohort for cohort in found if str(getattr(cohort, identifier)) == text]
        return exact or found

    def keep(self, cohort: AnyCohort) -> None:
        """Put a cohort in, or in the place of what it was."""
        self.forget(cohort)
        self._cohorts[cohort.id] = cohort
        for identifier, key in self._keys(cohort):
            self._indexes[identifier].setdefault(key, {})[cohort.id] = cohort

    def forget(self, cohort: AnyCohort) -> None:
        """Take a cohort out, whatever it is called by now."""
        old = self._cohorts.pop(cohort.id, None)
        if old is not None:
            for identifier, key in self._keys(old):
                self._indexes[identifier].get(key, {}).pop(old.id, None)

    def _keys(self, cohort: AnyCohort) -> Iterable[tuple[str, str]]:
        if isinstance(cohort, Cohort):
            yield "id", str(cohort.id)
        if cohort.idnumber:
            yield "idnumber", self._fold(cohort.idnumber)
        yield "name", self._fold(cohort.name)

    def _key(self, identifier: str, text: str) -> str:
        return text if identifier == "id" else self._fold(text)


def length_problem(name: str, idnumber: str, name_column: str, idnumber_column: str) -> Note | None:
    """Hold the name and idnumber of a new cohort against what Moodle can store; say what is too long."""
    if len(name) > MAX_NAME:
        return Note("cohort_name_too_long", {"column": name_column, "limit": MAX_NAME})
    if len(idnumber) > MAX_IDNUMBER:
        return Note("cohort_idnumber_too_long", {"column": idnumber_column, "limit": MAX_IDNUMBER})
    return None


def lookup(
    identifier: str, texts: Collection[str], names: Collection[str] = (), idnumbers: Collection[str] = ()
) -> dict[str, Any]:
    """Return what `fetch_memberships` needs to find the cohorts that texts name, and others by name and idnumber."""
    by: dict[str, set[str]] = {"id": set(), "idnumber": set(idnumbers), "name": set(names)}
    by[identifier] |= set(texts)
    ids = {int(text) for text in by["id"] if is_id(text)}
    return {"cohort_ids": ids, "cohort_idnumbers": by["idnumber"], "cohort_names": by["name"]}
