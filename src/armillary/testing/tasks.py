"""A task that takes as long as wanted, to try a runner with."""

import time
from collections.abc import Mapping
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
