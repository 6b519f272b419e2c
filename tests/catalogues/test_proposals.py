"""Proposals: a person decides, every decision lasts and can be undone."""

from pathlib import Path

import pytest

from armillary.catalogues import Entry, Store
from armillary.catalogues.proposals import accept, decide, open_proposals, propose, reject, status_of, take_back
from armillary.errors import BadParameter, BadRequest, Conflict, UnknownCatalogue


def events(count: int) -> list[Entry]:
    return [
        Entry.event(
            f"2020-01-{day + 1:02d}", f"2020-01-{day + 2:02d}", class_="icme", model="it: forest", model_version="k1",
            attributes={"probability": 0.5 + day / 10, "uncertainty": 0.9},
        )
        for day in range(count)
    ]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "catalogues.sqlite", "ada")
    propose(store, "icme", "events", reversed(events(4)))
    return store


def test_proposals_come_in_the_order_they_were_made(store: Store) -> None:
    found = open_proposals(store, "icme")
    assert [one.attributes["rank"] for one in found] == [1, 2, 3, 4]
    assert [one.attributes["probability"] for one in found] == [0.8, 0.7, 0.6, 0.5]
    assert {status_of(one) for one in found} == {"proposed"}
    propose(store, "icme", "events", [Entry.event("2021-01-01", "2021-01-02")])
    assert open_proposals(store, "icme")[-1].attributes["rank"] == 5
    assert [one.attributes["rank"] for one in open_proposals(store, "icme", "probability > 0.65")] == [1, 2]


def test_an_accepted_row_is_the_persons_and_names_the_model(store: Store) -> None:
    first, *_ = open_proposals(store, "icme")
    (made,) = accept(store, "icme", [first.id])
    (row,) = store.rows("icme")
    assert (row.id, row.author, row.model, row.model_version) == (made, "ada", "it: forest", "k1")
    assert (row.start, row.stop, row.class_) == (first.start, first.stop, "icme")
    assert row.attributes == {"probability": 0.8, "proposal": first.id}
    assert len(open_proposals(store, "icme")) == 3
    assert store.history("icme")[0].summary == "accept 1 proposals into icme"


def test_a_rejected_row_stays_with_its_status(store: Store) -> None:
    first, *_ = open_proposals(store, "icme")
    reject(store, "icme", [first.id])
    assert len(open_proposals(store, "icme")) == 3
    assert [status_of(one) for one in store.rows("icme.proposals")].count("rejected") == 1
    assert "icme" not in {one.name for one in store.catalogues()}
    accept(store, "icme", [first.id])
    assert len(store.rows("icme")) == 1


def test_edges_are_mended_before_a_row_is_accepted(store: Store) -> None:
    first, *_ = open_proposals(store, "icme")
    assert first.stop is not None
    accept(store, "icme", [first.id], {"stop": first.stop + 10, "class_": "sir", "attributes": {"seen": True}})
    (row,) = store.rows("icme")
    assert (row.stop, row.class_, row.attributes["seen"]) == (first.stop + 10, "sir", True)


def test_a_decision_is_one_change_and_can_be_undone(store: Store) -> None:
    some = [one.id for one in open_proposals(store, "icme")[:2]]
    accept(store, "icme", some)
    store.undo()
    assert len(open_proposals(store, "icme")) == 4
    assert "icme" not in {one.name for one in store.catalogues()}
    store.redo()
    assert len(store.rows("icme")) == 2


def test_what_cannot_be_decided_is_told_and_changes_nothing(store: Store) -> None:
    first, second, *_ = (one.id for one in open_proposals(store, "icme"))
    accept(store, "icme", [first])
    for verb in (accept, reject):
        with pytest.raises(Conflict, match="accepted already"):
            verb(store, "icme", [second, first])
    assert len(store.rows("icme")) == 1
    store.new("other")
    (stranger,) = store.add("other", events(1))
    with pytest.raises(UnknownCatalogue, match="no proposal for 'icme'"):
        accept(store, "icme", [stranger])
    with pytest.raises(UnknownCatalogue, match="nothing was proposed"):
        open_proposals(store, "sir")
    with pytest.raises(BadRequest, match="holds events"):
        propose(store, "other", "objects", [Entry(source_id="1")])


def test_a_decision_on_what_was_seen_only(store: Store) -> None:
    first, second, *_ = open_proposals(store, "icme")
    assert second.stop is not None
    mended = decide(store, "icme", "proposed", {second.id: 1}, {"stop": second.stop + 10})
    assert [(one.version, status_of(one)) for one in mended.rows] == [(2, "proposed")]
    with pytest.raises(Conflict, match="somebody else"):
        decide(store, "icme", "accepted", {first.id: 1, second.id: 1})
    assert len(open_proposals(store, "icme")) == 4
    assert len(decide(store, "icme", "accepted", {first.id: 1, second.id: 2}).made) == 2
    with pytest.raises(BadParameter, match="burnt"):
        decide(store, "icme", "burnt", {first.id: None})


def test_any_decision_of_mine_is_taken_back_once(store: Store) -> None:
    first, second, *_ = open_proposals(store, "icme")
    early = decide(store, "icme", "accepted", {first.id: None}).change
    late = decide(store, "icme", "rejected", {second.id: None}).change
    take_back(store, early)
    assert [one.id for one in open_proposals(store, "icme")][:1] == [first.id]
    assert "icme" not in {one.name for one in store.catalogues()}
    with pytest.raises(BadRequest, match="undone already"):
        take_back(store, early)
    with pytest.raises(BadRequest, match="none of bob"):
        take_back(Store(store.path, "bob"), late)
    decide(Store(store.path, "bob"), "icme", "proposed", {second.id: None})
    with pytest.raises(Conflict, match="bob changed the same later"):
        take_back(store, late)
