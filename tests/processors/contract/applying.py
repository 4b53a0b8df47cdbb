"""What `apply` does to a plan: nothing, its operations are data, and each knows the lines that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from typing import Any, NamedTuple, cast

from sync.moodle.db.writer import Writer
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.values import Action
from tests.processors.contract.runs import ProcessorType

_WRITING = {Action.CREATED, Action.UPDATED, Action.DELETED, Action.PARTIAL}


class Applying(NamedTuple):
    """What `apply` was seen to do that it must not, and what plans consist of. Shape: operations: their types"""

    faults: list[str]
    operations: set[type[Operation]]
    processor: ProcessorType


def applying(processor: ProcessorType) -> Applying:
    """Return the processor that compares its plans before and after they are applied."""
    faults: list[str] = []
    operations: set[type[Operation]] = set()

    def apply(itself: Processor[Any, Any, Any], plan: Plan, writer: Writer) -> Applied:
        before = deepcopy(_told_by(plan))
        applied = processor.apply(itself, plan, writer)
        faults.extend(
            f"applying has changed {name}:\n{was}\n{has}"
            for (name, was), (_name, has) in zip(before, _told_by(plan), strict=True)
            if was != has
        )
        done = [operation for operation in plan.operations() if operation]
        asked = {line for operation in done for line in operation.lines}
        written = {outcome.line for outcome in plan.outcomes if outcome.action in _WRITING and outcome.line}
        if asked != written:
            faults.append(f"lines {sorted(written)} write, and lines {sorted(asked)} ask for operations")
        operations.update(map(type, done))
        return applied

    return Applying(faults, operations, type(processor.__name__, (processor,), {"apply": apply}))


def _told_by(plan: Plan) -> list[tuple[str, Any]]:
    return [*_operations(plan), ("outcomes", plan.outcomes), ("mails", plan.mails), ("notes", plan.notes)]


def _operations(plan: Plan) -> Iterator[tuple[str, Any]]:
    for operation in plan.operations():
        for field in fields(cast(Any, operation)):
            yield f"{type(operation).__name__}.{field.name}", getattr(operation, field.name)


def is_frozen(operation: type[Operation]) -> bool:
    """Whether an operation is a dataclass whose fields stay as they are."""
    declared: Any = getattr(operation, "__dataclass_params__", None)
    return declared is not None and bool(declared.frozen)
