"""A view keeps its promise when it becomes a record for pages."""

import json
import struct
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from armillary.plots.view import Array, Axis, Band, Cells, ColourAxis, Image, Line, Panel, Points, Spans, View

NS = 1_445_054_400_000_000_000


def a_view(n: int = 50_000) -> View:
    t = NS + np.arange(n) * 1_000_000_000
    y = np.sin(np.arange(n) / 100)
    y[n // 2] = 9.0
    y[n // 3] = np.nan
    time = Axis("", low=NS, high=int(t[-1]), time=True)
    cells = Cells(t[:-1], t[1:], np.geomspace(1, 100, 5), np.ones((n - 1, 4)))
    panels = (
        Panel("lines", time, Axis("n", "cm⁻³", -1, 9), (Line(t, y, "n"),), source="a/b"),
        Panel("spectrogram", time, Axis("E", "eV", 1, 100, "log"), (cells,), ColourAxis("flux", low=1, high=2)),
        Panel("scatter", Axis("ra"), Axis("dec"), (Points(np.array([266.41683]), np.array([-29.0])),)),
        Panel("image", Axis("x"), Axis("y"), (Image(np.zeros((600, 30)), 0, 1, 0, 1),), ColourAxis("z")),
        Panel("events", time, Axis("", low=-1, high=1), (Spans(t[:1], t[1:2], np.array([0]), ("a",)),)),
    )
    return View(panels, NS, int(t[-1]), (Band(NS, NS + 10**9, "b"),), "title", {"request": "r"})


def unpack(record: dict[str, Any], body: bytes | None = None) -> Array:
    dtype = np.dtype("<" + record["type"])
    if body is None:
        return np.frombuffer(b64decode(record["data"]), dtype).reshape(record["shape"])
    count = int(np.prod(record["shape"]))
    return np.frombuffer(body, dtype, count, record["at"]).reshape(record["shape"])


def test_a_record_is_json_and_small() -> None:
    text = json.dumps(a_view().to_record(1000), allow_nan=False)
    assert len(text) < 1_000_000


def test_times_travel_as_milliseconds_and_extremes_stay() -> None:
    record = a_view().to_record(1000)
    line = record["panels"][0]["traces"][0]
    x, y = unpack(line["x"]), unpack(line["y"])
    assert x[0] == NS / 1e6 == record["start"]
    assert len(x) <= 5 * 250
    assert np.nanmax(y) == 9
    assert np.isnan(y).any()


def test_the_binary_form_holds_the_same() -> None:
    view = a_view(5000)
    message = view.to_bytes(1000)
    (size,) = struct.unpack_from("<I", message)
    head, body = json.loads(message[4 : 4 + size]), message[4 + size :]
    assert (4 + size) % 8 == 0
    record = view.to_record(1000)
    for panel, other in zip(head["panels"], record["panels"], strict=True):
        for trace, twin in zip(panel["traces"], other["traces"], strict=True):
            arrays = [name for name, part in trace.items() if isinstance(part, dict)]
            assert arrays
            for name in arrays:
                assert trace[name]["at"] % 8 == 0
                np.testing.assert_array_equal(unpack(trace[name], body), unpack(twin[name]))


def test_what_a_short_float_would_spoil_keeps_eight_bytes() -> None:
    record = a_view(10).to_record()
    assert unpack(record["panels"][2]["traces"][0]["x"])[0] == 266.41683
    assert record["panels"][0]["traces"][0]["y"]["type"] == "f4"


def test_cells_and_images_are_reduced() -> None:
    record = a_view().to_record(1000)
    assert record["panels"][1]["traces"][0]["values"]["shape"][0] <= 1000
    assert max(record["panels"][3]["traces"][0]["values"]["shape"]) <= 512


def test_a_view_is_told_in_words() -> None:
    summary = a_view(10).summary
    for word in ("title", "2015-10-17", "n [cm⁻³]", "flux", "1 events"):
        assert word in summary


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        a_view(5).title = "other"  # type: ignore[misc]
