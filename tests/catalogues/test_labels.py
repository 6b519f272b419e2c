"""Labels of objects: many at once, one change, undone as one."""

from pathlib import Path

import pytest

from armillary.catalogues import Entry, Store
from armillary.catalogues.labels import label
from armillary.catalogues.proposals import take_back
from armillary.errors import BadParameter, Conflict


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "catalogues.sqlite", "ada")


def objects(*names: str) -> list[Entry]:
    return [Entry(source_id=name, ra=10.0, dec=float(place)) for place, name in enumerate(names)]


def classes(store: Store) -> dict[str, str]:
    return {one.source_id: one.class_ for one in store.rows("stars")}


def test_new_objects_are_added_and_known_ones_changed(store: Store) -> None:
    first = label(store, "stars", objects("a", "b"), "young")
    assert (first.added, first.changed) == (2, 0)
    second = label(store, "stars", objects("b", "c"), "old")
    assert (second.added, second.changed) == (1, 1)
    assert classes(store) == {"a": "young", "b": "old", "c": "old"}
    same = label(store, "stars", objects("c"), "old")
    assert (same.added, same.changed) == (0, 0)


def test_one_undo_takes_a_label_back(store: Store) -> None:
    label(store, "stars", objects("a", "b"), "young")
    second = label(store, "stars", objects("b", "c"), "old")
    take_back(store, second.change)
    assert classes(store) == {"a": "young", "b": "young"}
    assert store.get("stars").kind == "objects"


def test_a_label_that_was_changed_later_stays(store: Store) -> None:
    first = label(store, "stars", objects("a"), "young")
    label(Store(store.path, "bob"), "stars", objects("a"), "old")
    with pytest.raises(Conflict):
        take_back(store, first.change)
    assert [(one.class_, one.author) for one in store.rows("stars")] == [("old", "bob")]


@pytest.mark.parametrize(("some", "class_"), [(0, "young"), (1, " "), (1, "a\nb"), (1, "x" * 300)])
def test_what_is_no_label_changes_nothing(store: Store, some: int, class_: str) -> None:
    with pytest.raises(BadParameter):
        label(store, "stars", objects(*"ab"[:some]), class_)
    assert store.catalogues() == []
    assert store.history() == []


def test_events_are_not_labelled_so(store: Store) -> None:
    store.new("icme")
    with pytest.raises(BadParameter, match="holds events"):
        label(store, "icme", objects("a"), "young")
    assert store.rows("icme") == []
