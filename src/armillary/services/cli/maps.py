"""``armillary apply`` for models that have learnt from maps: the answer is a map, or areas in a catalogue."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armillary.errors import BadRequest
from armillary.services import rasters
from armillary.services.cli.session import progress_bar
from armillary.services.desk import Desk

if TYPE_CHECKING:
    from armillary.learn.trained import Run
    from armillary.services.applying import Target


def apply_to_map(
    desk: Desk, run: "Run", target: "Target", prior: Mapping[str, float], to: str, output: Path | None,
    wanted: rasters.Wanted,
) -> dict[str, Any]:  # fmt: skip
    """Apply a model to a map, write what was asked for, and give what is to be told.

    Raises
    ------
    ArmillaryError
    """
    if target.parts or target.params:
        raise BadRequest("a part of a table and --param cannot be asked of a map", "leave them out")
    if output is not None:
        rasters.check_map_path(output)
    with progress_bar("apply") as progress:
        mapped = rasters.apply_to_map(
            desk, run, target.things, columns=target.columns, span=(target.start, target.stop), prior=prior,
            progress=progress,
        )  # fmt: skip
        record = rasters.told_of_map(mapped)
        if output is not None:
            record["file"] = str(rasters.write_map(mapped, output))
        if to:
            record["added"], record["already"] = rasters.to_catalogue(desk.catalogues, to, mapped, wanted)
            record["catalogue"] = to
    rasters.forget(mapped)
    return record
