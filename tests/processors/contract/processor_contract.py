"""What every processor promises."""

from __future__ import annotations

import pytest

from sync.processors.registry import REGISTRY
from sync.runs.pipeline_context import FileLook
from sync.values import FAILED_ACTIONS
from tests.processors.contract.applying import applying, is_frozen
from tests.processors.contract.planning import planned_lines, watched
from tests.processors.contract.runs import ContractSite, Disturbance, cutting, told
from tests.processors.contract.specs import MANY, SPECS, ContractSpec

# The end of one hook is the beginning of the next one, where nothing happens in between.
MOMENTS = (
    "before fetch", "before plan", "before prepare", "before apply", "before owed_after_commit", "before commit",
    "after commit", "before collect", "before after_commit", "after after_commit", "before final_plan", "before close",
)  # fmt: skip
DRY_MOMENTS = ("before fetch", "before plan", "before owed_after_commit")
FEW = MANY // 10


class ProcessorContract:
    """The conformance suite; a subclass names the file types. Source: shared test classes as the Singer SDK's for targets"""

    @pytest.fixture
    def spec(self, key: str) -> ContractSpec:
        return SPECS[key]

    def test_a_file_is_carried_out_and_changes_nothing_the_second_time(
        self, contract: ContractSite, spec: ContractSpec
    ) -> None:
        contract.reset()
        first = contract.run(spec)
        before = contract.tables()

        second = contract.run(spec)

        assert first.counts == spec.counts, told(first)
        assert second.counts == spec.again, told(second)
        assert contract.tables() == before

    @pytest.mark.parametrize("kills", [False, True], ids=["lost", "killed"])
    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_disturbance_leaves_no_trace(
        self, contract: ContractSite, spec: ContractSpec, moment: str, kills: bool
    ) -> None:
        expected = contract.reference(spec, chunk_rows=2)
        disturbance = Disturbance.at(moment, kills=kills)
        contract.reset()

        left = contract.left(contract.run(spec, chunk_rows=2, disturbance=disturbance))

        assert left.differences(expected) == {}
        # Not every file owes something once it is committed, and one that only looks has nothing to apply.
        assert disturbance.struck or disturbance.hook in ("collect", "after_commit") or not spec.writes

    @pytest.mark.parametrize("kills", [False, True], ids=["lost", "killed"])
    @pytest.mark.parametrize("moment", DRY_MOMENTS)
    def test_a_disturbed_dry_run_tells_the_same(
        self, contract: ContractSite, spec: ContractSpec, moment: str, kills: bool
    ) -> None:
        expected = contract.reference(spec, simulate=True, chunk_rows=2)
        contract.reset()

        run = contract.run(spec, simulate=True, chunk_rows=2, disturbance=Disturbance.at(moment, kills=kills))

        assert told(run) == expected.told

    def test_chunks_of_any_size_come_to_the_same(self, contract: ContractSite, spec: ContractSpec) -> None:
        contract.reset()
        expected = told(contract.run(spec)), contract.named_state()
        for chunk_rows in (1, 3):
            contract.reset()
            assert told(contract.run(spec, chunk_rows=chunk_rows)) == expected[0], chunk_rows
            assert contract.named_state() == expected[1], chunk_rows

    def test_chunks_that_are_cut_come_to_the_same(self, contract: ContractSite, spec: ContractSpec) -> None:
        rows = spec.rows(MANY)
        contract.reset()
        expected = told(contract.run(spec, rows)), contract.named_state()
        contract.reset()

        cut = contract.run(spec, rows, processor=cutting(REGISTRY[spec.key]))

        assert cut.chunks >= MANY
        assert told(cut) == expected[0]
        assert contract.named_state() == expected[1]

    @pytest.mark.parametrize("chunk_rows", [1000, 2])
    def test_a_dry_run_tells_what_is_done_and_writes_nothing(
        self, contract: ContractSite, spec: ContractSpec, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if chunk_rows == 2:
            # As with a long file; all other tests of plans hold in memory what earlier chunks leave.
            monkeypatch.setattr("sync.processors.base.overlay._MOST_CELLS", 0)
        expected = contract.reference(spec, chunk_rows=chunk_rows)
        contract.reset()

        run = contract.run(spec, simulate=True, chunk_rows=chunk_rows)

        assert contract.path.read_bytes() == contract.template.read_bytes()
        # What an option deletes after the last row has no order of its own.
        assert sorted(told(run)) == sorted(expected.told)

    @pytest.mark.parametrize(("planned_rows", "applied_rows"), [(1000, 1000), (2, 1000), (1000, 2)])
    def test_a_stored_plan_is_applied_as_it_was_made(
        self, contract: ContractSite, spec: ContractSpec, planned_rows: int, applied_rows: int
    ) -> None:
        expected = contract.reference(spec, chunk_rows=applied_rows)
        contract.reset()
        plan = contract.run(spec, simulate=True, chunk_rows=planned_rows, shows_new_values=True)

        left = contract.left(contract.run(spec, plan=plan, chunk_rows=applied_rows))

        assert left.differences(expected) == {}

    @pytest.mark.parametrize(
        ("chunk_rows", "moment"), [(1000, ""), (2, ""), (2, "before apply"), (2, "after commit"), (2, "on disk")]
    )
    def test_a_plan_is_applied_by_the_process_that_has_made_it(
        self,
        contract: ContractSite,
        spec: ContractSpec,
        chunk_rows: int,
        moment: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if moment == "on disk":
            # As with a long file.
            monkeypatch.setattr("sync.runs.kept_plans._MOST_CELLS", 0)
            monkeypatch.setattr("sync.runs.pipeline_context._MOST_CELLS", 0)
            moment = ""
        expected = contract.reference(spec, chunk_rows=chunk_rows)
        planned = planned_lines(REGISTRY[spec.key])
        look = FileLook()
        contract.reset()
        plan = contract.run(
            spec, processor=planned.processor, simulate=True, chunk_rows=chunk_rows, shows_new_values=True, look=look
        )
        planned.lines.clear()
        disturbance = Disturbance.at(moment, kills=False) if moment else None

        run = contract.run(
            spec, processor=planned.processor, plan=plan, chunk_rows=chunk_rows, look=look, disturbance=disturbance
        )

        assert contract.left(run).differences(expected) == {}
        # What is planned after the last row has another hook.
        if planned.processor.plans_are_data and chunk_rows == 1000:
            assert planned.lines == []

    @pytest.mark.parametrize("kills", [False, True], ids=["lost", "killed"])
    def test_a_plan_that_is_applied_among_disturbances_leaves_no_trace(
        self, contract: ContractSite, spec: ContractSpec, kills: bool
    ) -> None:
        expected = contract.reference(spec, chunk_rows=2)
        contract.reset()
        plan = contract.run(spec, simulate=True, chunk_rows=3, shows_new_values=True)
        disturbance = Disturbance.at("after commit", kills=kills)

        left = contract.left(contract.run(spec, plan=plan, chunk_rows=2, disturbance=disturbance))

        assert left.differences(expected) == {}

    def test_a_mended_tryback_does_what_the_right_file_does(self, contract: ContractSite, spec: ContractSpec) -> None:
        contract.reset()
        whole = spec.text.encode() if isinstance(spec.text, str) else spec.text
        right = contract.run(spec, spec.mend(whole))
        assert not {outcome.action for outcome in right.outcomes}.intersection(FAILED_ACTIONS), told(right)
        expected = contract.named_state()
        contract.reset()
        first = contract.run(spec)
        assert (first.tryback is not None) == bool(spec.mended)

        if first.tryback is not None:
            second = contract.run(spec, spec.mend(first.tryback))
            assert second.tryback is None, told(second)
        assert contract.named_state() == expected

    @pytest.mark.parametrize("simulate", [False, True], ids=["real", "dry"])
    def test_planning_is_pure(self, contract: ContractSite, spec: ContractSpec, simulate: bool) -> None:
        expected = contract.reference(spec, simulate=simulate, chunk_rows=2)
        contract.reset()
        faults, processor = watched(REGISTRY[spec.key])

        run = contract.run(spec, processor=processor, simulate=simulate, chunk_rows=2)

        assert faults == []
        assert contract.left(run).differences(expected) == {}

    def test_applying_changes_nothing_of_a_plan_whose_operations_know_their_lines(
        self, contract: ContractSite, spec: ContractSpec
    ) -> None:
        expected = contract.reference(spec, chunk_rows=2)
        contract.reset()
        faults, operations, processor = applying(REGISTRY[spec.key])

        run = contract.run(spec, processor=processor, chunk_rows=2)

        assert faults == []
        assert contract.left(run).differences(expected) == {}
        assert bool(operations) == spec.writes
        for operation in operations:
            assert is_frozen(operation), operation
            assert "Expects:" in str(operation.__doc__), operation

    def test_queries_dont_grow_with_rows(self, contract: ContractSite, spec: ContractSpec) -> None:
        processor = type("Unlimited", (REGISTRY[spec.key],), {"rows_per_chunk": None})
        queries = []
        # The first one reads what the tables are like.
        for rows in (MANY, FEW, MANY):
            contract.reset()
            contract.queries = 0
            run = contract.run(spec, spec.rows(rows), processor=processor)
            assert len([outcome for outcome in run.outcomes if outcome.line <= rows + 1]) == rows
            assert "rejected" not in run.counts, told(run)
            queries.append(contract.queries)
        assert queries[2] <= queries[1]
