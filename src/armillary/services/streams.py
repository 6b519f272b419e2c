"""Files of any size as blocks of samples, most of which can be made by themselves, of plain values that tell where."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, DamagedFile, one_line
from armillary.learn.study import Study
from armillary.learn.units import frame_of, units_of_astropy, units_of_schema, with_units
from armillary.services.parquet_folders import files_in

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import xarray as xr

    from armillary.learn.applying import Block
    from armillary.learn.trained import Run

Record = dict[str, Any]
#: Options of layouts that speak of labels.
LABELS: Final = frozenset({"label", "classes", "events", "begin", "end", "target", "ahead", "positive", "negative"})
_PARQUET: Final = (".parquet", ".pq")
#: Octets of a column that are read from the disk at a time.
_BUFFER: Final = 1 << 20
_ARROW: Final = (".feather", ".arrow", ".ipc")
_FITS: Final = (".fits", ".fit", ".fts")
_TEXT: Final = {".csv": ",", ".txt": r"\s+", ".dat": r"\s+", ".tsv": r"\s+", ".ecsv": " "}


def streamed(run: "Run", path: Path) -> Iterable[Callable[[], "Block"]] | None:
    """Give the blocks of a table or of channels without reading all; None for what must be read as a whole.

    A table whose rows are looked at one by one is streamed; not so VOTables, and studies that drop repeated rows.

    Raises
    ------
    DamagedFile
    """
    layout, options = run.study.data.layout, run.study.data.options
    if layout == "channels" and path.is_dir():
        return [Lazy(run, one) for one in channels_of(path, options)]
    if layout != "table" or "once" in options or looks_around(run):
        return None
    places = pieces_of(path)
    if places is not None:
        return [Lazy(run, one) for one in places]
    if kind_of(path) in _TEXT:
        return (Rows(run, partial(_same, frame)) for frame in texts_of(path))
    return None


class Lazy:
    """A block that is made when it is asked for of a part of a file, which plain values tell: `place`."""

    def __init__(self, run: "Run", place: Record) -> None:
        self.run, self.place = run, place

    def __call__(self) -> "Block":
        """Make the block."""
        return block_of(self.run, self.place)

    def record(self, _folder: Path, _number: int) -> Record:
        """Tell the block by plain values, see :func:`block_of`."""
        return self.place


class Rows:
    """A block of rows that `frame` gives: of a text, which is read from its beginning, or of a table of the tree."""

    def __init__(self, run: "Run", frame: "Callable[[], pd.DataFrame]") -> None:
        self.run, self.frame = run, frame

    def __call__(self) -> "Block":
        """Make the block."""
        return table_block(self.run, self.frame())

    def record(self, folder: Path, number: int) -> Record:
        """Write the rows beside the answers, and tell them by plain values."""
        path, frame = folder / f"{number:06d}.feather", self.frame()
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_feather(path, chunksize=max(len(frame), 1))
        return {"kind": "arrow", "path": str(path.resolve()), "batch": 0, "start": 0, "stop": len(frame)}


def block_of(run: "Run", record: Mapping[str, Any]) -> "Block":
    """Make the block that plain values tell of.

    Parameters
    ----------
    run : Run
    record : mapping
        ``kind`` (parquet, arrow, fits, channel), ``path``, and what tells the part of the file.

    Raises
    ------
    ArmillaryError
    """
    path = Path(record["path"])
    if record["kind"] == "channel":
        return _channel(run, path, record["name"])
    with _damage(path):
        frame = _READERS[record["kind"]](path, record, partial(_needed, run))
    for name, value in record.get("with", {}).items():
        frame[name] = value
    return table_block(run, frame)


def table_block(run: "Run", frame: "pd.DataFrame") -> "Block":
    """Make a block of rows of a table, without labels."""
    from armillary.learn.applying import Block
    from armillary.learn.layouts.table import samples_of_frame

    options = {name: one for name, one in run.study.data.options.items() if name not in LABELS}
    wanted = run.recipe["columns"] or list(run.recipe["variables"])
    samples = samples_of_frame(frame, "the table", {**options, "columns": wanted})
    return Block(samples, np.ones(samples.sizes["sample"], bool))


def pieces_of(path: Path) -> list[Record] | None:
    """Tell the pieces of a Parquet, Arrow or FITS table, or of a folder of Parquet files; None for another file.

    The names of folders such as ``tile=7`` are columns, as other tools write them.

    Raises
    ------
    DamagedFile
    """
    with _damage(path):
        if path.is_dir():
            return _of_folder(path)
        kind = kind_of(path)
        if kind in _PARQUET:
            return _of_parquet(path, {})
        if kind in _ARROW:
            return _of_arrow(path)
        return _of_fits(path) if kind in _FITS and path.suffix != ".gz" else None


def blocks_in(run: "Run", path: Path, more: Mapping[str, Any]) -> "Iterator[Block]":
    """Read a Parquet file once from its beginning to its end, in blocks of the same number of rows but the last.

    Parameters
    ----------
    run : Run
    path : Path
    more : mapping
        Columns of one value each, which the names of folders tell.

    Raises
    ------
    DamagedFile, ArmillaryError
    """
    with _damage(path):
        for table in _tables_in(path, partial(_needed, run)):
            frame = frame_of(table).assign(**more)
            yield table_block(run, frame)


def channels_of(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """Tell the channels of a folder in the layout ``channels``: one block each.

    Raises
    ------
    DamagedFile
    """
    with _damage(path), np.load(path / "channels.npz", allow_pickle=False) as archive:
        there = sorted({name.split("_")[1] for name in archive.files if name.startswith("test_")})
    names = [str(one) for one in options.get("channels", ())] or there
    return [{"kind": "channel", "path": str(path.resolve()), "name": name} for name in names]


def texts_of(path: Path) -> "Iterator[pd.DataFrame]":
    """Read a text table piece by piece: CSV, ECSV, columns apart by blanks; packed or not."""
    import pandas as pd

    from armillary.learn.applying import BLOCK_ROWS

    kind = kind_of(path)
    note = "#" if kind == ".ecsv" else None
    with _damage(path), pd.read_csv(path, sep=_separator(path, kind), chunksize=BLOCK_ROWS, comment=note) as pieces:
        units = _units_of_ecsv(path) if note else {}
        yield from (with_units(piece, units) for piece in pieces)


def kind_of(path: Path) -> str:
    """Give the suffix of a file that says what it is, a packed one's too."""
    return next((one.lower() for one in reversed(path.suffixes) if one != ".gz"), "")


def _units_of_ecsv(path: Path) -> Record:
    """Read the units in the head of an ECSV table, without its rows."""
    import gzip
    from itertools import takewhile

    from astropy.table import Table

    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        head = list(takewhile(lambda line: line.startswith("#"), lines))
        lines.seek(0)
        names = next((line for line in lines if not line.startswith("#")), "")
    return units_of_astropy(Table.read([*head, names], format="ascii.ecsv")) if head else {}


def _same(frame: "pd.DataFrame") -> "pd.DataFrame":
    return frame


def looks_around(run: "Run") -> bool:
    """Say whether features of a row need others, or models learn each group anew."""
    from armillary.learn.answers import EACH_GROUP
    from armillary.learn.applying import reach_of

    return bool(reach_of(run.study) or run.fitted.part.options.get(EACH_GROUP))


def _of_folder(path: Path) -> list[Record]:
    return [piece for one, values in files_in(path) for piece in _of_parquet(one, values)]


def _of_parquet(path: Path, more: Record) -> list[Record]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(one).num_rows for one in range(file.num_row_groups)]
    pieces: list[Record] = []
    for groups in _packed(sizes):
        rows = sum(sizes[one] for one in groups)
        told = {"kind": "parquet", "path": str(path.resolve()), "groups": groups, "with": more}
        pieces += [told | {"start": start, "stop": stop} for start, stop in _cuts(rows)]
    return pieces


def _packed(sizes: list[int]) -> Iterator[list[int]]:
    """Put small row groups together, so that a block is neither many reads nor a handful of rows."""
    from armillary.learn.applying import BLOCK_ROWS

    held: list[int] = []
    for at, size in enumerate(sizes):
        if held and sum(sizes[one] for one in held) + size > BLOCK_ROWS:
            yield held
            held = []
        held.append(at)
    if held:
        yield held


def _cuts(rows: int) -> list[tuple[int, int]]:
    from armillary.learn.applying import BLOCK_ROWS

    return [(at, min(at + BLOCK_ROWS, rows)) for at in range(0, rows, BLOCK_ROWS)]


def _of_arrow(path: Path) -> list[Record]:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        sizes = [file.get_batch(one).num_rows for one in range(file.num_record_batches)]
    told = {"kind": "arrow", "path": str(path.resolve())}
    return [
        told | {"batch": batch, "start": start, "stop": stop}
        for batch, rows in enumerate(sizes)
        for start, stop in _cuts(rows)
    ]


def _of_fits(path: Path) -> list[Record] | None:
    from astropy.io import fits

    with fits.open(path, memmap=True) as units:
        found = [
            (at, int(unit.header["NAXIS2"])) for at, unit in enumerate(units) if isinstance(unit, fits.BinTableHDU)
        ]
    if len(found) != 1:
        return None
    unit, rows = found[0]
    told = {"kind": "fits", "path": str(path.resolve()), "unit": unit}
    return [told | {"start": start, "stop": stop} for start, stop in _cuts(rows)]


def _read_parquet(path: Path, record: Mapping[str, Any], needed: Callable[[list[str]], list[str]]) -> "pd.DataFrame":
    import pyarrow as pa
    import pyarrow.parquet as pq

    start, stop, at = record["start"], record["stop"], 0
    with pq.ParquetFile(path) as file:
        columns = needed(file.schema_arrow.names)
        parts = []
        for batch in file.iter_batches(stop - start, row_groups=list(record["groups"]), columns=columns):
            low, high = max(start - at, 0), min(stop - at, batch.num_rows)
            parts += [batch.slice(low, high - low)] if low < high else []
            at += batch.num_rows
            if at >= stop:
                break
        schema = pa.schema(
            [parts[0].schema.field(name) if parts else file.schema_arrow.field(name) for name in columns]
        )
        units = units_of_schema(file.schema_arrow)
        table = pa.Table.from_batches(parts, schema)
    return with_units(table.to_pandas(ignore_metadata=True), units)


def _tables_in(path: Path, needed: Callable[[list[str]], list[str]]) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    from armillary.learn.applying import BLOCK_ROWS

    held: list[pa.RecordBatch] = []
    # a buffer lets row groups of any size be read piece by piece
    with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        for batch in file.iter_batches(BLOCK_ROWS, columns=needed(file.schema_arrow.names)):
            free = BLOCK_ROWS - sum(one.num_rows for one in held)
            held.append(batch.slice(0, free))
            if batch.num_rows >= free:
                yield pa.Table.from_batches(held)
                held = [batch.slice(free)] if batch.num_rows > free else []
    if held:
        yield pa.Table.from_batches(held)


def _read_arrow(path: Path, record: Mapping[str, Any], needed: Callable[[list[str]], list[str]]) -> "pd.DataFrame":
    import pyarrow as pa

    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        rows = record["stop"] - record["start"]
        batches = [file.get_batch(record["batch"]).slice(record["start"], rows)] if rows else []
        table = pa.Table.from_batches(batches, file.schema).select(needed(file.schema.names))
        return frame_of(table)


def _read_fits(path: Path, record: Mapping[str, Any], needed: Callable[[list[str]], list[str]]) -> "pd.DataFrame":
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(path, memmap=True) as units:
        unit = units[record["unit"]]
        part = fits.BinTableHDU(unit.data[record["start"] : record["stop"]], header=unit.header)
        table = Table.read(part, format="fits")
        wanted = table[needed(table.colnames)]
        return with_units(wanted.to_pandas(), units_of_astropy(wanted))


_READERS: Final[dict[str, Callable[..., "pd.DataFrame"]]] = {
    "parquet": _read_parquet, "arrow": _read_arrow, "fits": _read_fits,
}  # fmt: skip


def _channel(run: "Run", path: Path, name: str) -> "Block":
    from armillary.learn.applying import Block
    from armillary.learn.layouts import read_samples

    samples: xr.Dataset = read_samples("channels", path, {**run.study.data.options, "channels": [name]})
    return Block(samples, np.ones(samples.sizes["sample"], bool))


def _needed(run: "Run", there: list[str]) -> list[str]:
    """Give the columns of a table that a study names anywhere, or that say where an object is; all if none is named."""
    from armillary.learn.applying import PLACES
    from armillary.learn.inputs import texts_in

    wanted = {*texts_in(_named_by(run.study)), *run.recipe["columns"], *run.recipe["variables"], *PLACES}
    photometric = [step.options for step in run.study.features if step.use == "photometry"]
    for options in [*photometric, *([run.study.checks] if run.study.checks else [])]:
        wanted |= _of_photometry(options, there)
    return [name for name in there if name in wanted]


def _of_photometry(options: Mapping[str, Any], there: list[str]) -> set[str]:
    """Give the columns that photometry finds by itself, letters of quality among them."""
    from armillary.science.photometry.columns import find_columns

    return set(find_columns(dict.fromkeys(there, ()), options.get("columns") or {}).names.values())


def _named_by(study: Study) -> list[Any]:
    options = {name: one for name, one in study.data.options.items() if name not in LABELS}
    split = study.split
    where = [*split.space_on, *split.sky_on, split.time_on, split.group_on, split.stratify_on]
    return [options, where, [one.options for one in study.features]]


def _separator(path: Path, kind: str) -> str:
    if kind != ".ecsv":
        return _TEXT[kind]
    import gzip

    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            if not line.startswith("#"):
                break
            if line.startswith("# delimiter:") and "," in line:
                return ","
    return _TEXT[kind]


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what readers raise on a broken file into our error."""
    try:
        yield
    except (ArmillaryError, FileNotFoundError, MemoryError):
        raise
    except Exception as failed:
        problem = f"cannot read {path.name}: {one_line(str(failed))}"
        raise DamagedFile(problem, "fetch or write the file again") from failed
