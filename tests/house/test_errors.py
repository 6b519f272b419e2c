"""The tree of errors, its HTTP table and its picture agree."""

import pickle

from armillary import errors
from armillary.errors import ArmillaryError, UnknownProduct, from_record, http_status, to_record


def subclasses(kind: type[ArmillaryError]) -> set[type[ArmillaryError]]:
    return {one for child in kind.__subclasses__() for one in {child, *subclasses(child)}}


def test_every_error_has_a_status_and_stands_in_the_picture() -> None:
    kinds = subclasses(ArmillaryError)
    assert len(kinds) >= 19
    for kind in kinds:
        assert 400 <= http_status(kind("broken", "mend it")) < 600
        assert kind.__name__ in (errors.__doc__ or "")


def test_an_error_is_one_line_and_travels() -> None:
    error = UnknownProduct("no product\n'x'", "look in\tthe tree")
    assert str(error) == "no product 'x'. Next step: look in the tree"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    again = from_record(to_record(error))
    assert type(again) is UnknownProduct
    assert str(again) == str(error)


def test_a_record_cannot_name_another_class() -> None:
    assert type(from_record({"error": "Any", "problem": "p", "next_step": "n"})) is ArmillaryError
