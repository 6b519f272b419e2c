"""History only grows; undo and redo lead to every former state and back."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from armillary.catalogues import Entry, Store
from armillary.catalogues.store import versions
from armillary.errors import BadRequest, Conflict


def event(start: int = 0, **others: object) -> Entry:
    return Entry(start=start, stop=start + 5, **others)  # type: ignore[arg-type]


def state(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {one.name: sorted(map(content, store.rows(one.name))) for one in store.catalogues()}


def content(row: Entry) -> tuple[object, ...]:
    return (row.id, row.start, row.rating or 0, tuple(sorted(row.attributes.items())))


class Undoing(RuleBasedStateMachine):
    """The store against a plain list of former states."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "c.sqlite", "ada")
        self.done = [state(self.store)]
        self.undone: list[dict[str, list[tuple[object, ...]]]] = []
        self.count = 0

    def teardown(self) -> None:
        self.store.pool.close()
        self.folder.cleanup()

    def changed(self) -> None:
        self.done.append(state(self.store))
        self.undone.clear()

    @rule()
    def make(self) -> None:
        self.count += 1
        self.store.new(f"c{self.count}")
        self.changed()

    @rule(start=st.integers(0, 9), at=st.integers(0, 9))
    def add(self, start: int, at: int) -> None:
        names = [one.name for one in self.store.catalogues()]
        if names:
            self.store.add(names[at % len(names)], [event(start, attributes={"n": start})])
            self.changed()

    @rule(rating=st.integers(1, 9), at=st.integers(0, 9))
    def edit(self, rating: int, at: int) -> None:
        rows = [row for one in self.store.catalogues() for row in self.store.rows(one.name)]
        if rows:
            self.store.edit(rows[at % len(rows)], rating=rating)
            self.changed()

    @rule(at=st.integers(0, 9))
    def drop(self, at: int) -> None:
        names = [one.name for one in self.store.catalogues()]
        if names:
            self.store.alter(names[at % len(names)], drop=True)
            self.changed()

    @rule()
    def undo(self) -> None:
        if len(self.done) > 1:
            self.store.undo()
            self.undone.append(self.done.pop())
            assert state(self.store) == self.done[-1]
        else:
            with pytest.raises(BadRequest):
                self.store.undo()

    @rule()
    def redo(self) -> None:
        if self.undone:
            self.store.redo()
            self.done.append(self.undone.pop())
            assert state(self.store) == self.done[-1]
        else:
            with pytest.raises(BadRequest):
                self.store.redo()


TestUndoing = Undoing.TestCase
TestUndoing.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_history_tells_who_did_what(store: Store) -> None:
    store.new("a")
    (id_,) = store.add("a", [event()])
    store.new("other")
    store.edit(id_, rating=2)
    store.undo()
    told = [(one.action, one.author) for one in store.history("a")]
    assert told == [("undo", "ada"), ("edit", "ada"), ("add", "ada"), ("new", "ada")]
    assert [one.action for one in store.history(limit=2)] == ["undo", "edit"]
    assert [(one.version, one.rating) for one in versions(store, id_)] == [(1, None), (2, 2), (3, None)]


def test_the_file_itself_refuses_to_change_history(store: Store) -> None:
    store.new("a")
    store.add("a", [event()])
    with store.pool.writing() as connection:
        for table in ("change", "delta"):
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = 9"):
                with pytest.raises(sqlite3.Error):
                    connection.execute(statement)
    assert [one.action for one in store.history()] == ["add", "new"]


def test_undo_takes_back_only_ones_own_changes(store: Store) -> None:
    eve = Store(store.path, "eve")
    store.new("a")
    (id_,) = store.add("a", [event()])
    eve.edit(id_, rating=1)
    with pytest.raises(Conflict, match="eve changed the same later"):
        store.undo()
    eve.undo()
    store.undo()
    assert store.rows("a") == []
    with pytest.raises(BadRequest):
        eve.undo()
    eve.pool.close()


def test_undo_of_many_is_all_or_none(store: Store) -> None:
    store.new("a")
    store.add("a", [event()])
    with pytest.raises(BadRequest):
        store.undo(5)
    assert len(store.rows("a")) == 1
    assert store.undo(2) == [2, 1]
    assert store.catalogues() == []
    assert store.redo(2) == [1, 2]
    assert len(store.rows("a")) == 1
