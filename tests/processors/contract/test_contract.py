"""Every processor of the registry keeps the contract; one that isn't listed among the specs fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import time_machine

from sync.processors.base.plan import Plan
from sync.processors.course_lists.check import CourseCheckCells, CoursesCheck
from sync.processors.course_lists.course_list import ListedCourses
from sync.processors.registry import REGISTRY
from tests.moodle_sites import build_site
from tests.processors.contract.planning import watched
from tests.processors.contract.processor_contract import ProcessorContract
from tests.processors.contract.runs import ContractSite, Disturbance
from tests.processors.contract.specs import SPECS, prepare


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContractSite]:
    folder = tmp_path_factory.mktemp("contract")
    site = build_site(f"sqlite:///{folder / 'moodle.sqlite3'}", "sqlite", "4.5")
    prepare(site)
    contract = ContractSite(site, folder)
    with time_machine.travel(contract.began, tick=False):
        yield contract
    contract.moodle.dispose()
    site.engine.dispose()


@pytest.mark.parametrize("key", REGISTRY)
class TestEveryProcessor(ProcessorContract):
    """The whole registry."""


def test_nothing_else_is_listed() -> None:
    assert SPECS.keys() == REGISTRY.keys()


class Impure(CoursesCheck):
    """Does in `plan` all that must not be done there."""

    def plan(self, rows: Sequence[CourseCheckCells], state: ListedCourses) -> Plan:
        plan = super().plan(rows, state)
        plan.update("course", 1, {}, {"timemodified": int(time.time()) + int(datetime.now(UTC).timestamp())})
        self.moodle.fetch(sa.text("SELECT 1"))
        self.collected.gone[len(self.collected.gone)] = 1
        rows[0].values["changed"] = len(self.collected.gone)
        plan.outcomes[0] = plan.outcomes[0]._replace(code=f"code{len(self.collected.gone)}")
        return plan


def test_planning_that_is_not_pure_is_noticed(contract: ContractSite) -> None:
    contract.reset()
    faults, processor = watched(Impure)

    contract.run(SPECS["courses_check"], processor=processor, simulate=True)

    seen = {" ".join(fault.split()[:3]) for fault in faults}
    assert seen == {
        "looks at the",
        "asks SELECT 1",
        "planned differently the",
        "what is collected",
        "rows have changed",
    }


@pytest.mark.parametrize("key", ["categories", "categories_delete", "courses", "courses_delete"])
def test_whoever_goes_on_with_a_run_sees_to_the_order_of_the_site(contract: ContractSite, key: str) -> None:
    """What is done up to then is known of what the committed chunks owe."""
    contract.reset()
    contract.site.execute("UPDATE {course_categories} SET coursecount = 99")
    disturbance = Disturbance.at("before final_plan", kills=True)

    contract.run(SPECS[key], disturbance=disturbance)

    assert disturbance.struck
    assert 99 not in {row["coursecount"] for row in contract.site.rows("course_categories")}
