"""``armillary apply`` for a folder of partitions: a folder of answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armillary.errors import BadRequest
from armillary.services.cli.session import progress_bar

if TYPE_CHECKING:
    from armillary.learn.trained import Run


def are_partitions(things: Sequence[str], output: Path) -> bool:
    """Say whether a folder of Parquet files is asked about, and a folder is to hold the answers."""
    from armillary.services.parquet_folders import is_partitioned

    return bool(things) and not output.suffix and is_partitioned(Path(things[0]))


def apply_to_folder(
    run: "Run", things: Sequence[str], output: Path, prior: Mapping[str, float], workers: int, verify: bool,
    others: Sequence[Any],
) -> dict[str, Any]:  # fmt: skip
    """Apply a model to each partition and give what is to be told; `others` are options that mean nothing here.

    Raises
    ------
    ArmillaryError
    """
    from armillary.services.partitions import apply_to_partitions
    from armillary.services.studies import caveat_of

    if len(things) > 1 or any(others):
        problem = "partitions go whole into a folder: no --to, no part of them, no cluster, no second thing"
        raise BadRequest(problem, "give --model, --prior, --workers and --verify only, or -o FILE.parquet")
    with progress_bar("apply") as progress:
        record = apply_to_partitions(
            run, Path(things[0]), output, prior=prior, workers=workers, verify=verify, progress=progress
        )
    told = {"file": str(output), "caveat": caveat_of(record["purity"], record["drift"])}
    return {**{name: one for name, one in record.items() if name != "partitions"}, **told}
