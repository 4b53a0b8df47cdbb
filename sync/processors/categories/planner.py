"""What each row of a file of categories does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections.abc import Sequence

from sync.moodle.categories.categories import Category, NewCategory
from sync.processors.base.category_paths import CourseCategories
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import is_temporary
from sync.processors.base.planner import plan_each
from sync.processors.base.sticky import ChunkSticky, kept_notes
from sync.processors.categories.cells import DELETE, UPDATE, CategoriesOptions, CategoryRow
from sync.processors.categories.finding import CategoryFinder
from sync.processors.categories.plan import CATEGORY_TABLE, CategoriesPlan, CategoriesState, MoveBranches, last_place
from sync.processors.categories.removal import CategoryRemoval
from sync.processors.categories.visibility import Visibility
from sync.values import Action, Change, Note, Outcome


class CategoriesPlanner:
    """Plans one chunk, row by row in file order; later rows see what earlier ones did."""

    def __init__(self, state: CategoriesState, options: CategoriesOptions) -> None:
        self.state = state
        self.plan = CategoriesPlan(state.now)
        self.sticky = ChunkSticky(state.sticky, self.plan)
        self.categories = self.plan.change(state.categories)
        self.courses = self.plan.change(state.courses)
        self.visibility = Visibility(self.categories, self.courses)
        self.paths = CourseCategories(self.categories, new_visible=True)
        self.finder = CategoryFinder(self.categories, self.paths, options.categoryidentifier)
        self.removal = CategoryRemoval(state, self.plan, self.categories, self.courses, self.visibility)
        self._made: list[int] = []
        self._kept: list[str] = []

    def plan_rows(self, rows: Sequence[CategoryRow]) -> CategoriesPlan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: row.category))
        self._finish()
        return self.plan

    def _plan_row(self, row: CategoryRow) -> Outcome:
        self._kept.clear()
        found = self.finder.find(row)
        if row.cmd == DELETE:
            return self._deleted(row, found)
        if found is None:
            if row.cmd == UPDATE:
                raise RowError("category_unknown", "category", category=row.category, identifier=self.finder.identifier)
            outcome = self._created(row)
        else:
            outcome = self._changed(row, found)
        return outcome._replace(notes=(*outcome.notes, *kept_notes(self._kept)))

    def _deleted(self, row: CategoryRow, key: int | None) -> Outcome:
        if key is None:
            return Outcome(row.line, Action.UNCHANGED, "category_absent", {})
        target = self.finder.named(row.contentto, "contentto") if row.contentto else None
        return self.removal.plan(row.line, key, target, is_made_here=key in self._made or target in self._made)

    def _created(self, row: CategoryRow) -> Outcome:
        name, parent = self.finder.place_of_new(row)
        idnumber = self.finder.idnumber_of_new(row)
        self._refuse_taken(idnumber, None)
        row = self.sticky.for_new(row, self._kept)
        wanted = 1 if row.visible is None else row.visible
        values = {
            "parent": parent,
            "name": name,
            "idnumber": idnumber,
            "visible": int(wanted and self.visibility.is_seen(parent)),
            "visibleold": wanted,
            "description": row.description or "",
            "descriptionformat": int(bool(row.description)),
            "sortorder": last_place(self.state, row.line),
            "contextid": 0,
            "path": "",
            "timemodified": self.state.now,
        }
        alike = self.paths.made_alike(name, parent) if self.finder.identifier == "path" else ()
        key = self.plan.new_id(row.line)
        self.categories.foresee(key, {**values, "id": key}, row.line)
        self._made.append(key)
        self.paths.enter(key)
        self.sticky.note(CATEGORY_TABLE, key, {"name": name, "description": values["description"]}, row.line)
        return Outcome(row.line, Action.CREATED, "category_created", {}, notes=(*self._shared_name(key), *alike))

    def _changed(self, row: CategoryRow, key: int) -> Outcome:
        old = self.categories[key]
        parent = self.finder.parent_of(row, key)
        idnumber = self.finder.new_idnumber(row)
        if idnumber is not None and idnumber != old["idnumber"]:
            self._refuse_taken(idnumber, key)
        given = {**row.given(CategoryRow.name, CategoryRow.description)}
        if idnumber is not None:
            given["idnumber"] = idnumber
        if parent is not None:
            given["parent"] = parent
        texts = self.sticky.allowed(CATEGORY_TABLE, old, given, self._kept)
        self.sticky.note(CATEGORY_TABLE, key, texts, row.line)
        parent = texts.pop("parent", None)
        texts = {name: value for name, value in texts.items() if value != (old[name] or "")}
        changes = [Change(name, old[name] or "", value) for name, value in texts.items()]
        notes: tuple[Note, ...] = ()
        if texts:
            html = {"descriptionformat": 1} if "description" in texts else {}
            self.categories.update(key, {**texts, **html}, row.line)
            self.paths.enter(key)
        if parent is not None and parent != old["parent"]:
            changes.append(Change("parent", self.finder.shown(old["parent"]), self.finder.shown(parent)))
            self._move(key, parent, row.line)
        notes += self._see(row, key, changes)
        if not changes:
            return Outcome(row.line, Action.UNCHANGED, "category_unchanged", {}, notes=notes)
        self.categories.update(key, {"timemodified": self.state.now}, row.line)
        if {"name", "parent"} & {change.field for change in changes}:
            notes += self._shared_name(key)
        return Outcome(row.line, Action.UPDATED, "category_updated", {}, changes=tuple(changes), notes=notes)

    def _see(self, row: CategoryRow, key: int, changes: list[Change]) -> tuple[Note, ...]:
        """Hide or show a category, where the row says so. A moved one may have to be hidden, or stay so."""
        is_moved = any(change.field == "parent" for change in changes)
        parent_seen = self.visibility.is_seen(self.categories[key]["parent"])
        wanted = self.visibility.is_wanted(key)
        if row.visible is None or row.visible == wanted:
            stays_hidden = is_moved and parent_seen and not self.categories[key]["visible"]
            return (Note("category_stays_hidden", {}),) if stays_hidden and row.visible is None else ()
        if row.visible:
            self.visibility.show(key, row.line)
        else:
            self.visibility.hide(key, row.line)
        changes.append(Change("visible", str(int(wanted)), str(row.visible)))
        return (Note("category_shown_later", {}),) if row.visible and not parent_seen else ()

    def _move(self, key: int, parent: int, line: int) -> None:
        """Move a category; it comes last there. Mirrors: core_course_category::change_parent_raw()"""
        self.categories.update(key, {"parent": parent, "sortorder": last_place(self.state, line)}, line)
        self.paths.enter(key)
        if self.categories[key]["visible"] and not self.visibility.is_seen(parent):
            self.visibility.hide(key, line, visibleold=1)

    def _refuse_taken(self, idnumber: str, own: int | None) -> None:
        """Moodle allows an idnumber once on the site."""
        if idnumber and any(key != own for key in self.categories.find(idnumber=idnumber)):
            raise RowError("category_idnumber_taken", "idnumber", idnumber=idnumber)

    def _shared_name(self, key: int) -> tuple[Note, ...]:
        """Say that another category in the same place is called the same. Moodle allows it; a path can't tell them apart."""
        row = self.categories[key]
        others = len(self.categories.find(name=row["name"], parent=row["parent"])) - 1
        return (Note("category_name_shared", {"category": row["name"]}),) if others > 0 else ()

    def _finish(self) -> None:
        """Put the differences into the plan."""
        plan = self.plan
        for key in self._made:
            row = self.categories.get(key)
            if row is not None:
                texts = {name: row[name] for name in NewCategory._fields}
                plan.made[NewCategory(**texts)] = tuple(self.categories.lines_of(key))
        if plan.made:
            plan.present = [Category.of(row) for row in self.state.categories]
        plan.branches = self._branches()
        self.courses.write(plan)
        self.categories.write(plan)

    def _branches(self) -> MoveBranches:
        found = self.state.categories.rows
        moved: dict[int, Sequence[int]] = {}
        tree: dict[int, Category] = {}
        for key in self.categories:
            tree[key] = Category.of(self.categories[key])
            if key in found and not is_temporary(key) and found[key]["parent"] != tree[key].parent:
                moved[key] = self.categories.lines_of(key)
        moves, lines = self.removal.course_moves()
        if not moved and not moves:
            return MoveBranches()
        leaving = [category.path for category in self.plan.deleted.values()]
        return MoveBranches(tree, moved, leaving, moves, lines, self.state.system_path)
