"""An operator: packets to housekeeping, planted anomalies as a catalogue, both in one picture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PLACE = "simulated/instrument"
SPAN = ("--start", "2024-03-01T14:00", "--stop", "2024-03-01T17:00")


@pytest.mark.parametrize("ending", ["csv", "vot"])
def test_from_packets_to_a_drawn_anomaly(cli: Callable[..., Any], tmp_path: Path, ending: str) -> None:
    plan = json.loads(cli("get", f"{PLACE}/housekeeping", *SPAN, "--plan", "--json").out)
    assert [step["product"] for step in plan["steps"]] == [f"{PLACE}/packets", f"{PLACE}/housekeeping"]

    voltage = tmp_path / "voltage.csv"
    assert cli("get", f"{PLACE}/housekeeping", *SPAN, "--param", "channel=voltage", "-o", voltage).status == 0
    lines = voltage.read_text("utf-8").splitlines()
    assert lines[1].startswith("time,")
    assert "[V]" in lines[1]

    planted = tmp_path / f"planted.{ending}"
    assert cli("get", f"{PLACE}/truth/anomalies", *SPAN, "-o", planted).status == 0
    ran = cli("catalogue", "import", "planted", planted)
    assert ran.status == 0, ran.err
    (limit,) = [
        row for row in json.loads(cli("catalogue", "show", "planted", "--json").out)["rows"]
        if row["class"] == "limit" and row["attributes"]["channel"] == "voltage"
    ]  # fmt: skip

    # Inside the event the voltage is out of what it is elsewhere.
    times = np.array([line.split(",")[0].rstrip("Z") for line in lines[2:]], "datetime64[ns]")
    values = np.array([float(line.split(",")[1] or "nan") for line in lines[2:]])
    start, stop = (np.datetime64(limit[name].rstrip("Z")) for name in ("start", "stop"))
    inside = (times >= start) & (times < stop)
    assert inside.any()
    assert np.nanmax(values[inside]) < np.nanmin(values[~inside])

    drawn = tmp_path / "hk.svg"
    ran = cli("plot", f"{PLACE}/housekeeping", *SPAN, "--param", "channel=voltage", "--catalogue", "planted", "-o",
              drawn)  # fmt: skip
    assert ran.status == 0, ran.err
    assert "limit" in drawn.read_text("utf-8")
