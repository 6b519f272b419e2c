"""Worker processes do all orders, survive what goes wrong with one, and end with their caller."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from armillary.errors import from_record
from armillary.services.crew import work_off

TASK = "armillary.testing.tasks:obey"


def test_orders_are_done_by_several_and_bad_ones_cost_only_themselves() -> None:
    orders: list[dict[str, Any]] = [{"number": one} for one in range(12)]
    orders[3]["die"] = orders[7]["die"] = True
    orders[5]["fail"] = "it does not fit"
    told = [one for one in work_off(TASK, orders, 2) if one is not None]
    answers = {order["number"]: answer for order, answer in told}
    assert len(told) == len(answers) == 12
    failed = {number: from_record(one["error"]).problem for number, one in answers.items() if "error" in one}
    assert failed.keys() == {3, 5, 7}
    assert failed[3] == "a worker died of it twice (exit status -9)"
    assert failed[5] == "ValueError: it does not fit"
    assert {one["by"] for one in answers.values() if "by" in one} & {os.getpid()} == set()


def test_workers_end_when_their_caller_is_killed(tmp_path: Path) -> None:
    code = f"""
from armillary.services.crew import work_off
orders = [{{"number": 0}}, {{"number": 1, "wait": 0.01}}, {{"number": 2, "wait": 0.01}}]
for one in work_off({TASK!r}, orders, 2):
    if one:
        print(one[1]["by"], flush=True)
"""
    (tmp_path / "call.py").write_text(f"if __name__ == '__main__':\n{_indented(code)}")
    caller = subprocess.Popen([sys.executable, tmp_path / "call.py"], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    worker = int(caller.stdout.readline())
    assert _lives(worker)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    deadline = time.monotonic() + 60
    while _lives(worker):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _indented(code: str) -> str:
    return "".join(f"    {line}\n" for line in code.splitlines())


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
