"""Tasks that take as long as wanted, or end badly, to try runners with."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from armillary.errors import UnknownProduct
from armillary.model import Progress


def count(spec: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Count to ``spec["to"]`` with a pause between the numbers; fail if a ``product`` is named."""
    if "product" in spec:
        raise UnknownProduct(f"there is no product {spec['product']!r}", "name none")
    for number in range(spec["to"]):
        time.sleep(spec.get("pause", 0.0))
        progress((number + 1) / spec["to"], f"counted to {number + 1}")
    return {"counted": spec["to"]}


def obey(order: dict[str, Any], stop: Callable[[], bool]) -> dict[str, Any]:
    """Answer an order of a crew with who did it; ``die`` by a signal, ``fail``, or ``wait`` until told to stop."""
    if "die" in order:
        os.kill(os.getpid(), signal.SIGKILL)
    if "fail" in order:
        raise ValueError(order["fail"])
    while "wait" in order and not stop():
        time.sleep(order["wait"])
    return {"done": order["number"], "by": os.getpid()}
