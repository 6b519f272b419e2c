"""One question, always the same key."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import ArmillaryError, BadExtent, BadParameter, BadRequest
from armillary.model import Box, Cone, Extent, Interval, Parameter, Product, Request, Rows

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
INTERVALS = st.tuples(st.integers(0, 10**18), st.integers(1, 10**18)).map(lambda p: Interval(p[0], p[0] + p[1]))
BOXES = st.tuples(st.floats(-180, 179), st.floats(-90, 0), st.floats(1, 90)).map(
    lambda p: Box(p[0], p[1], p[0] + 1, p[2])
)
CONES = st.tuples(st.floats(0, 359), st.floats(-90, 90), st.floats(0.001, 180)).map(lambda p: Cone(*p))
ROWS = st.tuples(st.integers(0, 99), st.integers(1, 99)).map(lambda p: Rows(p[0], p[0] + p[1]))
EXTENTS = st.builds(
    Extent,
    st.none() | INTERVALS,
    st.none() | BOXES,
    st.none() | CONES,
    st.none() | st.text(min_size=1),
    st.none() | ROWS,
)
NAMES = st.text("abcdefgh_", min_size=1)
REQUESTS = st.builds(Request, st.text(min_size=1), EXTENTS, st.dictionaries(NAMES, SCALARS, max_size=4))


@given(REQUESTS)
def test_all_forms_are_the_same_question(request_: Request) -> None:
    assert Request.from_json(request_.to_json()) == request_
    assert Request.from_query(request_.to_query()) == request_
    assert Request.from_json(request_.to_json()).key == request_.key
    assert hash(request_) == hash(Request.from_record(request_.to_record()))


@given(st.dictionaries(NAMES, SCALARS, max_size=5), st.randoms())
def test_the_order_of_parameters_never_matters(params: dict[str, object], random: object) -> None:
    names = list(params)
    random.shuffle(names)  # type: ignore[attr-defined]
    assert Request("a", params={name: params[name] for name in names}) == Request("a", params=params)  # type: ignore[arg-type,misc]


def test_the_key_is_the_same_in_another_process() -> None:
    request = Request("a/b", Extent(Interval.of("2020-01-01", "2020-01-02"), Box(1, 2, 3, 4)), {"x": 0.1, "é": "ü"})
    code = "import sys; from armillary.model import Request; print(Request.from_json(sys.argv[1]).key)"
    out = subprocess.run([sys.executable, "-c", code, request.to_json()], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == request.key == "b9eff7878e2ba165a5486bd50e0efb89b67b4e128e4aa4164a67fd50e6f2af87"


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ({}, BadRequest),
        ({"product": ""}, BadRequest),
        ({"product": "a", "params": {"x": [1]}}, BadRequest),
        ({"product": "a", "params": [1]}, BadRequest),
        ({"product": "a", "extent": {"time": ["2020-01-02", "2020-01-01"]}}, BadExtent),
        ({"product": "a", "extent": {"time": ["2020-01-01", "2020-01-01"]}}, BadExtent),
        ({"product": "a", "extent": {"time": ["2020-01-01"]}}, BadRequest),
        ({"product": "a", "extent": {"box": [0, 10, 5, 5]}}, BadExtent),
    ],
)
def test_what_cannot_be_asked(record: dict[str, object], error: type[ArmillaryError]) -> None:
    with pytest.raises(error, match="Next step"):
        Request.from_json(json.dumps(record))


@pytest.mark.parametrize("query", ["product=a&start=2020-01-01", "product=a&bbox=1,2,3", "product=a&cone=1,2", "x=1"])
def test_bad_queries(query: str) -> None:
    with pytest.raises(BadRequest, match="Next step"):
        Request.from_query(query)


WINDOW = Parameter(name="window", type="float", default=60.0, low=1.0, high=600.0, units="s")
FRAME = Parameter(name="frame", type="str", default="gse", choices=("gse", "gsm"))
PRODUCT = Product(path="a/b", title="B", kind="series", parameters=(WINDOW, FRAME))


def test_parameters_are_typed_and_filled_in() -> None:
    assert PRODUCT.read_params({"window": "90"}) == {"window": 90.0, "frame": "gse"}
    assert Parameter(name="on", type="bool", default=False).read("yes") is True


@pytest.mark.parametrize(
    "given_",
    [
        {"window": "wide"},
        {"window": 0},
        {"window": "nan"},
        {"window": "inf"},
        {"window": float("-inf")},
        {"frame": "sm"},
        {"other": 1},
    ],
)
def test_wrong_parameters_say_what_may_be(given_: dict[str, str | float]) -> None:
    with pytest.raises(BadParameter, match=r"window|frame"):
        PRODUCT.read_params(given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", float("inf"), float("nan"), 1e400])
@pytest.mark.parametrize("kind", ["float", "int"])
def test_no_parameter_without_bounds_is_infinite_either(kind: str, value: str | float) -> None:
    free = Parameter(name="limit", type=kind, default=0)  # type: ignore[arg-type]
    with pytest.raises(BadParameter, match=f"'limit' cannot be .*Next step: give limit as {kind}"):
        free.read(value)


def test_a_product_travels_as_json() -> None:
    full = Product(
        path="a", title="A", kind="series", coverage=Interval.of("2020", "2021"), parameters=(FRAME,), rows=3
    )
    assert Product.from_record(json.loads(json.dumps(full.to_record()))) == full
